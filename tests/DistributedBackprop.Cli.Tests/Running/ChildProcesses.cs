// A collection runs one test at a time: with at most two of them, at most two children compete for the processor.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
