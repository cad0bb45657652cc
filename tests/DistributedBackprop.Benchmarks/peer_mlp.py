"""The peer: the same multilayer perceptron in PyTorch, as well as one writes it.

usage: peer_mlp.py THREADS DATA EXAMPLES BATCH

Says what it is on one line ("missing" where PyTorch is not installed). Then, for each line EPOCHS on its input, trains a
fresh network for so many epochs and prints examples per second. The caller sets OMP_NUM_THREADS and OPENBLAS_NUM_THREADS.
"""
import sys
import time

try:
    import torch
except ImportError:
    print("missing", flush=True)
    sys.exit(0)


def blas():
    """Which BLAS is loaded, and its own word on its version."""
    import ctypes
    import os
    paths = {line.split()[-1] for line in open("/proc/self/maps") if "blas" in line}
    for path in sorted(paths):
        try:
            config = ctypes.CDLL(path).openblas_get_config
        except AttributeError:
            continue
        config.restype = ctypes.c_char_p
        return config().decode().strip()
    return ", ".join(os.path.basename(path) for path in sorted(paths)) or "no BLAS"


def main():
    threads, path, examples, batch = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(threads)
    with open(path, "rb") as file:
        content = torch.frombuffer(bytearray(file.read()), dtype=torch.uint8)
    pixels = content[: examples * 784].reshape(examples, 784).to(torch.float32) / 255
    labels = content[examples * 784:].to(torch.int64)
    torch.ones(2, 2) @ torch.ones(2, 2)
    print(f"PyTorch {torch.__version__}, {blas()}", flush=True)

    def train(epochs):
        torch.manual_seed(7)
        model = torch.nn.Sequential(
            torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
        loss_of = torch.nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        start = time.perf_counter()
        for _ in range(epochs):
            order = torch.randperm(examples)
            for first in range(0, examples, batch):
                chosen = order[first:first + batch]
                optimizer.zero_grad(set_to_none=True)
                loss = loss_of(model(pixels.index_select(0, chosen)), labels.index_select(0, chosen))
                loss.backward()
                optimizer.step()
        return examples * epochs / (time.perf_counter() - start)

    for line in sys.stdin:
        print(f"{train(int(line)):.1f}", flush=True)


main()
