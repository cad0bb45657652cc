using DistributedBackprop.Cli.Tests.House;
using DistributedBackprop.Cli.Tests.Running;
using DistributedBackprop.Cli.Tests.SameBits;

namespace DistributedBackprop.Cli.Tests.Service;

/// <summary>A client of another language, made of <c>protos/training.proto</c> alone: Debian's Python with grpcio.</summary>
public sealed class StockClientTests
{
    // Debian's, whatever else is installed.
    private const string Python = "/usr/bin/python3";

    private const string Client = """
        import os, sys
        import grpc
        import training_pb2 as messages
        import training_pb2_grpc as services

        address, token_file, job_file = sys.argv[1:]
        token = open(token_file).read().strip()
        metadata = [("authorization", "Bearer " + token)]
        with grpc.insecure_channel(address) as channel:
            training = services.TrainingStub(channel)
            request = messages.SubmitRequest(id="from-python", document=open(job_file).read())
            training.Submit(request, metadata=metadata, timeout=30)
            training.Submit(request, metadata=metadata, timeout=30)
            for event in training.Watch(messages.WatchRequest(id="from-python"), metadata=metadata, timeout=90):
                last = event
            print(last.WhichOneof("body"), last.completed.weights_sha256)
            answer = services.ModelsStub(channel).Predict(
                messages.PredictRequest(id="from-python", features=[0, 1, 1, 1]), metadata=metadata, timeout=30)
            print(list(answer.classes))
            try:
                training.Get(messages.GetRequest(id="from-python"), timeout=30)
            except grpc.RpcError as error:
                print(error.code().name)
        """;

    [SkippableFact]
    public async Task Submits_and_watches_a_job()
    {
        using var service = await ServiceProcess.StartAsync();
        Skip.IfNot(File.Exists(Python), $"{Python} is not there");
        Skip.IfNot(await RunsAsync(service, Python, "-c", "import grpc, google.protobuf"), "python3-grpcio is not there");
        Skip.IfNot(await RunsAsync(service, "sh", "-c", "command -v protoc && command -v grpc_python_plugin"), "protobuf-compiler-grpc is not there");
        (await RunsAsync(
            service,
            "sh",
            "-c",
            $"protoc -I '{RepositoryRoot.File("protos")}' --python_out=. --grpc_out=. --plugin=protoc-gen-grpc=$(command -v grpc_python_plugin) training.proto")).ShouldBeTrue();
        await File.WriteAllTextAsync(service.Folder.At("client.py"), Client);
        using var python = service.StartOther(
            Python, "client.py", new Uri(service.Address).Authority, service.TokenFile, ExampleJob.PathOf("xor"));
        var ended = await python.EndAsync();
        ended.Output.Trim().Split('\n').ShouldBe([$"completed {GoldenTests.WeightsOf("xor")}", "[1, 0]", "UNAUTHENTICATED"], ended.Errors);
    }

    private static async Task<bool> RunsAsync(ServiceProcess service, params string[] command)
    {
        using var process = service.StartOther(command);
        return (await process.EndAsync()).ExitCode == 0;
    }
}
