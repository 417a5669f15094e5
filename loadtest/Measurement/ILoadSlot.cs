using WarpDrive.Linux;

namespace WarpProxy.LoadTest.Measurement;

/// <summary>Room for one operation at a time over a connection of its own; a state machine that a <see cref="LoadLoop{TSlot}"/> drives. One thread.</summary>
internal interface ILoadSlot : IDisposable
{
    TcpSocket Socket { get; }

    /// <summary>Whether an operation is under way.</summary>
    bool IsBusy { get; }

    /// <summary>Whether all that was wanted is there and only the server's end of the connection is missing.</summary>
    bool IsEnding { get; }

    /// <summary>When the operation should have begun.</summary>
    long Intended { get; }

    /// <summary>When it began.</summary>
    long Started { get; }

    /// <summary>When what is measured was done; 0 before. Latency ends here.</summary>
    long MeasuredAt { get; }

    /// <summary>When all that was wanted was there; 0 before.</summary>
    long Done { get; }

    /// <summary>Why it failed.</summary>
    LoadError Error { get; }

    /// <summary>Whether the socket is another one than at the last call, so that it is to be polled.</summary>
    bool TakeNewSocket();

    /// <summary>Goes as far as the socket allows.</summary>
    /// <param name="buffer">For what is read; not kept.</param>
    LoadProgress Advance(Span<byte> buffer);

    /// <summary>Ends the operation and its connection at once; the server sees a reset.</summary>
    void Cut();
}

/// <summary>How far an operation is.</summary>
internal enum LoadProgress
{
    /// <summary>Until its socket changes.</summary>
    Waiting,

    /// <summary>All done.</summary>
    Ended,

    /// <summary>To be cut.</summary>
    Failed,
}
