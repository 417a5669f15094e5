using WarpDrive.Engines;

namespace WarpProxy.Tests.Unit.Engines;

/// <summary>Remembers what it was asked, ends every operation alike, and tells a clock of its own how long it took.</summary>
internal sealed class CountingEngine(int lanes, RsaStatus status = RsaStatus.Done, Func<int, OperationBatch, double>? microseconds = null) : ISelectiveEngine
{
    public List<int[]> Calls { get; } = [];

    public TimeSpan Spent { get; private set; }

    public string Name => $"counting ({lanes} lanes)";

    public int Lanes => lanes;

    public bool IsDisposed { get; private set; }

    public void Execute(OperationBatch batch) => Execute(batch, [.. Enumerable.Range(0, batch.Count)]);

    public void Execute(OperationBatch batch, ReadOnlySpan<int> operations)
    {
        Calls.Add(operations.ToArray());
        Spent += TimeSpan.FromMicroseconds(microseconds?.Invoke(operations.Length, batch) ?? 0);
        foreach (int index in operations)
        {
            batch[index].Status = status;
        }
    }

    public void Dispose() => IsDisposed = true;
}
