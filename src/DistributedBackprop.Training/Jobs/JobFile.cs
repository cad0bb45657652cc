using System.Text;
using DistributedBackprop.Training.Jobs.Reading;

namespace DistributedBackprop.Training.Jobs;

/// <summary>Reads job files: YAML, or JSON as the part of YAML that it is.</summary>
public static class JobFile
{
    /// <summary>The longest job file that is read, in bytes or characters.</summary>
    public const int MaxLength = 1 << 20;

    /// <summary>Reads a job from text. Never throws because of what the text holds.</summary>
    /// <param name="fileName">How errors call the file.</param>
    /// <param name="text">The file's text.</param>
    /// <returns>The complete job, or all errors sorted by position.</returns>
    public static JobFileResult Parse(string fileName, string text)
    {
        ArgumentNullException.ThrowIfNull(fileName);
        ArgumentNullException.ThrowIfNull(text);
        var errors = new JobErrors(fileName);
        var job = Parse(text, errors);
        return job is not null && errors.None ? new JobFileResult(job) : new JobFileResult(errors.Sorted());
    }

    /// <summary>Reads a job from a file of UTF-8 text of at most <see cref="MaxLength"/> bytes.</summary>
    /// <param name="path">The file; errors call it as it is written here.</param>
    /// <returns>The complete job, or all errors sorted by position.</returns>
    /// <exception cref="IOException">The file is not there or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read, or is a folder.</exception>
    public static JobFileResult Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        using var file = File.OpenRead(path);
        // One byte more than allowed tells a file that is too long, and a device that never ends, from one that just fits.
        var bytes = new byte[MaxLength + 1];
        var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return Parse(path, bytes.AsSpan(0, length));
    }

    internal static JobFileResult Parse(string fileName, ReadOnlySpan<byte> utf8)
    {
        var errors = new JobErrors(fileName);
        if (utf8.Length > MaxLength)
        {
            errors.Add(JobErrorKind.Syntax, Position.Start, TooLong);
            return new JobFileResult(errors.Sorted());
        }

        var valid = ValidPrefix(utf8);
        var text = Encoding.UTF8.GetString(utf8[..valid]);
        if (valid < utf8.Length)
        {
            errors.Add(
                JobErrorKind.Syntax,
                Position.AfterAll(text),
                $"the file must be UTF-8 text, and byte {valid} (0x{utf8[valid]:X2}) is not");
            return new JobFileResult(errors.Sorted());
        }

        return Parse(fileName, text);
    }

    private static string TooLong { get; } = $"a job file may have at most {MaxLength} bytes";

    private static TrainingJob? Parse(string text, JobErrors errors)
    {
        if (text.Length > MaxLength)
        {
            errors.Add(JobErrorKind.Syntax, Position.Start, TooLong);
            return null;
        }

        var root = JobTree.Read(text, errors);
        return root is null ? null : JobReader.Read(root, errors);
    }

    private static int ValidPrefix(ReadOnlySpan<byte> utf8)
    {
        var valid = 0;
        while (valid < utf8.Length
            && Rune.DecodeFromUtf8(utf8[valid..], out _, out var consumed) == System.Buffers.OperationStatus.Done)
        {
            valid += consumed;
        }

        return valid;
    }
}
