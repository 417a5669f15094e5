using System.Diagnostics;
using WarpDrive.OpenSsl;
using WarpProxy.Live;
using WarpProxy.Offload;
using WarpProxy.Telemetry;

namespace WarpProxy.Tls;

/// <summary>
/// How far the TLS handshake of one connection is: may it still need the private key, so that it belongs on a lane; and what is to be told of it.
/// Written by whoever carries it, one thread at a time.
/// </summary>
internal sealed class Handshake
{
    // Volatile: the thread that reads next must see it. Nothing else is published by it.
    private volatile bool _isPastPrivateKey;
    private HandshakeSteps _steps;
    private ShadowOperation? _shadow;
    private ShadowQueue? _shadowQueue;

    /// <summary>Whether a private-key operation may still come, so that what follows has to run on a lane.</summary>
    public bool NeedsLane => !_isPastPrivateKey;

    /// <summary>When the client's first byte came (of <see cref="Stopwatch"/>); 0: none has.</summary>
    public long Begun { get; set; }

    /// <summary>Its span, when the connection is traced.</summary>
    public Activity? Span { get; set; }

    /// <summary>Who computed its private-key operation: one of <see cref="HandshakePath"/>.</summary>
    public string Path { get; set; } = HandshakePath.None;

    /// <summary>How it ended: one of <see cref="HandshakeOutcomes"/>.</summary>
    public string Outcome { get; set; } = HandshakeOutcomes.Abandoned;

    /// <summary>What it is shown with, in words.</summary>
    public string? Certificate { get; set; }

    /// <summary>Whether <see cref="ProcessorNanoseconds"/> and <see cref="Steps"/> are wanted.</summary>
    public bool MeasuresProcessorTime { get; set; }

    /// <summary>Processor time of its steps.</summary>
    public long ProcessorNanoseconds { get; set; }

    /// <summary>Bits of the key of its private-key operation.</summary>
    public int ModulusBits { get; set; }

    /// <summary>Why software took over from a device, in one word; null: it did not.</summary>
    public string? Fallback { get; set; }

    /// <summary>When each step was done; kept with <see cref="MeasuresProcessorTime"/>.</summary>
    public ref HandshakeSteps Steps => ref _steps;

    /// <summary>A lane is asked for.</summary>
    public void NoteLaneAsked() => _steps.LaneAsked = Now();

    /// <summary>It is on a lane.</summary>
    public void NoteLaneBegun() => _steps.LaneBegun = Now();

    /// <summary>A step of OpenSSL's is over; the first after the private key was used has the answer.</summary>
    public void NoteStep()
    {
        if (_steps.OperationEnded != 0 && _steps.Answered == 0)
        {
            _steps.Answered = Now();
        }
    }

    /// <summary>Keeps a signature that is to be computed again until <see cref="ReleaseShadow"/>.</summary>
    public void KeepShadow(ShadowOperation operation, ShadowQueue queue)
    {
        ReleaseShadow();
        _shadow = operation;
        _shadowQueue = queue;
    }

    /// <summary>It is over: what was kept may be computed.</summary>
    public void ReleaseShadow()
    {
        if (_shadow is { } operation)
        {
            _shadow = null;
            _shadowQueue!.Begin(operation);
        }
    }

    /// <summary>The one private-key operation of this handshake is done.</summary>
    public void PrivateKeyUsed() => _isPastPrivateKey = true;

    /// <summary>The handshake is over, with or without a private-key operation (a resumed session has none).</summary>
    public void Complete() => _isPastPrivateKey = true;

    private long Now() => MeasuresProcessorTime ? Stopwatch.GetTimestamp() : 0;
}
