using CsCheck;
using DistributedBackprop.Training.Pipeline;

namespace DistributedBackprop.Training.Tests.Pipeline;

public sealed class StageCutTests
{
    private static readonly Gen<(long[] Work, int Stages)> _cuts =
        from work in Gen.Long[0, 100].Array[1, 9]
        from stages in Gen.Int[1, work.Length]
        select (work, stages);

    [Fact]
    public void Every_stage_gets_a_run_of_layers() => _cuts.Sample(x =>
    {
        var stageOf = StageCut.Of(x.Work, x.Stages);
        stageOf.Distinct().ShouldBe(Enumerable.Range(0, x.Stages));
        stageOf.ShouldBe(stageOf.Order());
    });

    [Fact]
    public void The_heaviest_stage_is_as_light_as_any_cut_makes_it() => _cuts.Sample(x =>
    {
        var stageOf = StageCut.Of(x.Work, x.Stages);
        Heaviest(x.Work, stageOf).ShouldBe(AllCuts(x.Work.Length, x.Stages).Min(cut => Heaviest(x.Work, cut)));
    });

    private static long Heaviest(long[] work, IReadOnlyList<int> stageOf) =>
        work.Select((units, layer) => (units, stageOf[layer])).GroupBy(x => x.Item2).Max(stage => stage.Sum(x => x.units));

    private static IEnumerable<int[]> AllCuts(int layers, int stages) =>
        from bits in Enumerable.Range(0, 1 << (layers - 1))
        where int.PopCount(bits) == stages - 1
        select Enumerable.Range(0, layers).Select(layer => int.PopCount(bits & ((1 << layer) - 1))).ToArray();
}
