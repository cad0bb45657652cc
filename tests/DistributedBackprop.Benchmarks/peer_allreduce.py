"""The peer of averaging: gloo's all-reduce, one process of it.

usage: peer_allreduce.py THREADS RANK WORLD CORE MEETING

Says what it is on one line ("missing" where PyTorch is not installed). Then, for each line BYTES ROUNDS on the input of
every process, adds a vector of floats over all of them so many times, and prints the seconds of each time, by its own
clock, on one line. All use the file MEETING to find each other. It keeps to one core with all its threads; -1: to none.
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
    threads, rank, world, meeting = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[5]
    torch.set_num_threads(threads)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=world)
    print(f"PyTorch {torch.__version__}, gloo", flush=True)
    for line in sys.stdin:
        size, rounds = (int(word) for word in line.split())
        vector = torch.zeros(size // 4)
        seconds = []
        for _ in range(rounds):
            distributed.barrier()
            start = time.perf_counter()
            distributed.all_reduce(vector)
            seconds.append(time.perf_counter() - start)
        print(" ".join(f"{second:.9f}" for second in seconds), flush=True)


main()
