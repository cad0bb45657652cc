using DistributedBackprop.Protocol;
using DistributedBackprop.Server.Jobs;
using DistributedBackprop.Training.Jobs;
using DistributedBackprop.Training.Jobs.Table;
using Grpc.Core;

namespace DistributedBackprop.Server.Grpc;

/// <summary>Reads what callers hand in, and refuses in words what is not as it must be, before anything is made of it.</summary>
internal static class JobDocuments
{
    private const int LongestId = 128;
    private const int LongestName = 256;

    /// <summary>A job that is handed in.</summary>
    /// <exception cref="RpcException">It is not as it must be.</exception>
    public static JobSubmission Read(SubmitRequest request, JobLimits limits)
    {
        var id = Id(request.Id);
        var fileName = FileName(request.FileName);
        var root = request.DataRoot.Length == 0 ? DataRoots.Default : request.DataRoot;
        if (!DataRoots.IsName(root))
        {
            throw ServiceErrors.Invalid("data_root", $"must be the name of a data root: {DataRoots.AllowedNames}");
        }

        var result = Parse(fileName, request.Document);
        if (result.Job is not { } job)
        {
            throw ServiceErrors.Invalid(result.Errors);
        }

        if (limits.Exceeded(job).FirstOrDefault() is { } tooMuch)
        {
            throw ServiceErrors.TooMuch("JOB_TOO_LARGE", $"{fileName}: {tooMuch}");
        }

        return new JobSubmission(
            id, job.Name, request.Document, fileName, root, job.Parallelism.Replicas * job.Parallelism.Stages);
    }

    /// <summary>What a job file is.</summary>
    public static ValidateResponse Validate(ValidateRequest request, JobLimits limits)
    {
        var response = new ValidateResponse();
        var result = Parse(FileName(request.FileName), request.Document);
        response.Errors.AddRange(result.Errors.Select(error => new JobFileError
        {
            Line = error.Line,
            Column = error.Column,
            Kind = error.Kind.ToString().ToUpperInvariant(),
            Message = error.Message,
        }));
        if (result.Job is not { } job)
        {
            return response;
        }

        response.Errors.AddRange(limits.Exceeded(job).Select(words => new JobFileError { Line = 1, Column = 1, Kind = "LIMIT", Message = words }));
        response.Valid = response.Errors.Count == 0;
        if (response.Valid)
        {
            response.Name = job.Name;
            response.Layers = job.Model.Layers.Length;
            response.Parameters = ModelShapes.Of(job.Model).Sum(layer => (long)layer.ParameterCount);
            response.MemoryBytes = (long)MemoryNeed.Bytes(job);
        }

        return response;
    }

    /// <summary>The id of a job.</summary>
    /// <exception cref="RpcException">It cannot be one.</exception>
    public static string Id(string id) =>
        id.Length is >= 1 and <= LongestId && char.IsAsciiLetterOrDigit(id[0]) && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? id
            : throw ServiceErrors.Invalid(
                "id", $"must be 1 … {LongestId} letters, digits, '-', '_' and '.', the first a letter or a digit (has {id.Length} characters)");

    // Only that, in its own text: a long one would be echoed with every error.
    private static string FileName(string name) =>
        name.Length == 0 ? "job"
        : name.Length <= LongestName && !name.Any(char.IsControl) ? name
        : throw ServiceErrors.Invalid("file_name", $"must be at most {LongestName} characters without control characters");

    private static JobFileResult Parse(string fileName, string document) => JobFile.Parse(fileName, document);
}
