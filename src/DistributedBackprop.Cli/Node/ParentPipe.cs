using System.Text;
using DistributedBackprop.Server.Cluster;

namespace DistributedBackprop.Cli.Node;

/// <summary>
/// Standard input of a child: one line of settings, and then nothing until the parent is gone, however it went; then
/// there is nothing left to do here, and the process ends at once.
/// </summary>
internal sealed class ParentPipe(Stream input)
{
    private const int MaxLine = 64 * 1024;

    /// <summary>Reads the settings.</summary>
    /// <exception cref="NodeOptionsException">There are none, or not as they must be.</exception>
    public NodeOptions ReadSettings()
    {
        var line = new List<byte>();
        for (var next = input.ReadByte(); next is not ('\n' or -1); next = input.ReadByte())
        {
            line.Add((byte)next);
            if (line.Count > MaxLine)
            {
                throw new NodeOptionsException([$"standard input: the line of settings must have at most {MaxLine} bytes"]);
            }
        }

        return ChildSettings.Read(Encoding.UTF8.GetString([.. line]));
    }

    /// <summary>From now on the process ends when the parent does.</summary>
    public void EndWithParent() => new Thread(() =>
    {
        try
        {
            while (input.ReadByte() >= 0)
            {
                // The parent has nothing more to say.
            }
        }
        catch (IOException)
        {
            // As gone as at the end.
        }

        Environment.Exit(ExitCode.JobFailed);
    })
    {
        IsBackground = true,
        Name = "parent",
    }.Start();
}
