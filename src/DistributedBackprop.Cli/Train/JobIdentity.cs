using System.Security.Cryptography;
using System.Text;
using DistributedBackprop.Training.Data;
using DistributedBackprop.Training.Jobs;

namespace DistributedBackprop.Cli.Train;

/// <summary>The identity of a job: what is asked, of which data, from which beginning.</summary>
internal static class JobIdentity
{
    private const int Digits = 12;

    /// <summary>The job's name and the beginning of the digest of its canonical form, its data and its parameters.</summary>
    public static string Of(TrainingJob job, DataSet data, InitialParameters? init)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(
            $"{CanonicalForm.Digest(job)}\n{data.Fingerprint}\n{init?.Sha256}"));
        return $"{job.Name}-{Convert.ToHexStringLower(digest)[..Digits]}";
    }
}
