"""The peer of training over processes: the multilayer perceptron of peer_mlp.py in DistributedDataParallel over gloo, one
process of it.

usage: peer_ddp.py THREADS RANK WORLD CORE MEETING DATA EXAMPLES BATCH

Says what it is on one line ("missing" where PyTorch is not installed). Then, for each line EPOCHS BUCKET_MB GRADIENTS on
the input of every process, trains a fresh network for so many epochs of minibatches of BATCH for each process, and prints
examples per second of all processes together. GRADIENTS: copied (into the buckets), viewed (gradient_as_bucket_view), or
kept (viewed, and zeroed in place instead of given up). All use the file MEETING to find each other. It keeps to one core
with all its threads; -1: to none.
"""
import os
import sys
import time

if int(sys.argv[4]) >= 0:
    os.sched_setaffinity(0, {int(sys.argv[4])})
try:
    import torch
    import torch.distributed as distributed
except ImportError:
    print("missing", flush=True)
    sys.exit(0)


def main():
    threads, rank, world, meeting, path = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[5], sys.argv[6]
    examples, batch = int(sys.argv[7]), int(sys.argv[8])
    torch.set_num_threads(threads)
    with open(path, "rb") as file:
        content = torch.frombuffer(bytearray(file.read()), dtype=torch.uint8)
    pixels = content[: examples * 784].reshape(examples, 784).to(torch.float32) / 255
    labels = content[examples * 784:].to(torch.int64)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=world)
    print(f"PyTorch {torch.__version__}, DistributedDataParallel over gloo", flush=True)

    def train(epochs, bucket, gradients):
        torch.manual_seed(7)
        model = torch.nn.parallel.DistributedDataParallel(
            torch.nn.Sequential(
                torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 256), torch.nn.ReLU(),
                torch.nn.Linear(256, 10)),
            bucket_cap_mb=bucket, gradient_as_bucket_view=gradients != "copied")
        loss_of = torch.nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

        def step(chosen):
            optimizer.zero_grad(set_to_none=gradients != "kept")
            loss_of(model(pixels.index_select(0, chosen)), labels.index_select(0, chosen)).backward()
            optimizer.step()

        # The first steps settle the buckets.
        for _ in range(3):
            step(torch.arange(batch))
        distributed.barrier()
        start = time.perf_counter()
        trained = 0
        for _ in range(epochs):
            # The same order in every process, of which each takes its part of every minibatch.
            order = torch.randperm(examples)
            for first in range(rank * batch, examples - examples % (world * batch), world * batch):
                step(order[first:first + batch])
                trained += world * batch
        distributed.barrier()
        return trained / (time.perf_counter() - start)

    for line in sys.stdin:
        epochs, bucket, gradients = line.split()
        print(f"{train(int(epochs), float(bucket), gradients):.1f}", flush=True)


main()
