using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Tensors;

namespace DistributedBackprop.Training.Tests.Data;

public class GeneratedDataTests
{
    private static DataSet Load(DataSource source, long seed = 7, ITiles? tiles = null) =>
        DataLoader.Load(source, seed, "", null, tiles);

    private static float[] FeaturesOf(Examples examples, float factor = 1)
    {
        var features = new float[examples.Count * examples.Shape.Length];
        examples.Gather(Enumerable.Range(0, examples.Count).ToArray(), factor, features, new int[examples.Count]);
        return features;
    }

    // A change of these is a change of what every job with generated data computes: a decision, never an accident.
    [Theory]
    [InlineData("digits", "5546f61488f1c2738bdd96844c9e97f7f329b3556f260cdb06da80b45fb7015b")]
    [InlineData("spirals", "6ac318411777039413594e5170a03cb1964a74173ad79aff8b3861a6701f5413")]
    [InlineData("xor", "64189439f5248d6514b09736627d72a4245ea142453ff506ba3d4aebf5051e92")]
    public void The_bits_are_golden(string format, string fingerprint) =>
        Load(format switch
        {
            "digits" => new DigitsData(200, 50),
            "spirals" => new SpiralsData(200, 50),
            _ => new XorData(200, 50),
        }).Fingerprint.ShouldBe(fingerprint);

    [Fact]
    public void Digits_are_bytes_of_28_by_28_and_255_is_full_ink()
    {
        var data = Load(new DigitsData(200, 30) { Scale = 2 });
        data.Train.Shape.ShouldBe(new Shape(28, 28));
        data.Train.FeatureType.ShouldBe(FeatureType.UInt8);
        data.Factor.ShouldBe((float)(2 / 255.0));
        data.Test!.Count.ShouldBe(30);
        data.Classes.ShouldBe(10);
        data.Train.Labels.ToArray().CountBy(label => label).ShouldAllBe(pair => pair.Value == 20);
        for (var example = 0; example < 200; example++)
        {
            var image = FeaturesOf(data.Train).AsSpan(example * 784, 784).ToArray();
            image.Count(pixel => pixel > 160).ShouldBeInRange(8, 300);
        }
    }

    [Fact]
    public void Without_noise_the_ground_is_blank_and_noise_has_the_deviation_asked_for()
    {
        var blank = FeaturesOf(Load(new DigitsData(100, 0, Noise: 0)).Train);
        blank.Count(pixel => pixel == 0).ShouldBeGreaterThan(blank.Length / 2);

        // Where there is no ink, half of the noise is cut off at 0: the mean square of the rest is half the variance.
        var noisy = FeaturesOf(Load(new DigitsData(100, 0, Noise: 0.2)).Train);
        var ground = Enumerable.Range(0, blank.Length).Where(i => blank[i] == 0).Select(i => noisy[i] / 255.0).ToArray();
        Math.Sqrt(2 * ground.Average(pixel => pixel * pixel)).ShouldBe(0.2, 0.005);
    }

    [Fact]
    public void Every_example_is_its_own_whoever_draws_it_and_however_many_there_are()
    {
        var all = Load(new DigitsData(300, 0));
        Load(new DigitsData(300, 0), tiles: new Backwards()).Fingerprint.ShouldBe(all.Fingerprint);
        FeaturesOf(Load(new DigitsData(130, 0)).Train).ShouldBe(FeaturesOf(all.Train)[..(130 * 784)]);
        Load(new DigitsData(300, 0), seed: 8).Fingerprint.ShouldNotBe(all.Fingerprint);
        var both = Load(new DigitsData(20, 20));
        FeaturesOf(both.Test!).ShouldNotBe(FeaturesOf(both.Train));
    }

    [Fact]
    public void Spirals_lie_on_their_arms()
    {
        var source = new SpiralsData(300, 60, Classes: 4, Turns: 1.25, Noise: 0) { Scale = 3 };
        var data = Load(source);
        data.Factor.ShouldBe(3);
        data.Train.Shape.ShouldBe(new Shape(2));
        data.Train.FeatureType.ShouldBe(FeatureType.Float32);
        data.Train.Labels.ToArray().CountBy(label => label).ShouldAllBe(pair => pair.Value == 75);
        var points = FeaturesOf(data.Train);
        for (var i = 0; i < data.Train.Count; i++)
        {
            double x = points[2 * i], y = points[(2 * i) + 1];
            var distance = Math.Sqrt((x * x) + (y * y));
            distance.ShouldBeInRange(0, 1.000001);
            var angle = 2 * Math.PI * ((1.25 * distance) + (data.Train.Labels[i] / 4.0));
            x.ShouldBe(distance * Math.Cos(angle), 1e-5);
            y.ShouldBe(distance * Math.Sin(angle), 1e-5);
        }
    }

    [Fact]
    public void Xor_lies_at_the_corners_with_the_noise_asked_for()
    {
        var data = Load(new XorData(4000, 0, Noise: 0.1));
        data.Test.ShouldBeNull();
        data.Train.Labels.ToArray().Count(label => label == 1).ShouldBe(2000);
        var points = FeaturesOf(data.Train);
        var (squares, sum) = (0.0, 0.0);
        for (var i = 0; i < data.Train.Count; i++)
        {
            double x = (i / 2) % 2, y = i % 2;
            data.Train.Labels[i].ShouldBe(x == y ? 0 : 1);
            squares += Math.Pow(points[2 * i] - x, 2) + Math.Pow(points[(2 * i) + 1] - y, 2);
            sum += points[2 * i] - x + points[(2 * i) + 1] - y;
        }

        Math.Sqrt(squares / 8000).ShouldBe(0.1, 0.005);
        (sum / 8000).ShouldBe(0, 0.005);
    }

    private sealed class Backwards : ITiles
    {
        public int Width => 3;

        public void Run(TileWork work, int count)
        {
            for (var tile = count - 1; tile >= 0; tile--)
            {
                work.RunTile(tile);
            }
        }
    }
}
