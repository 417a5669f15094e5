namespace WarpDrive.Driver.Paths;

/// <summary>What a device that computes on the processors of this process has used of them for operations of one key size, since the start.</summary>
/// <param name="Operations">How many it computed.</param>
/// <param name="Nanoseconds">Processor time of all of them.</param>
public readonly record struct ProcessorWork(long Operations, long Nanoseconds);
