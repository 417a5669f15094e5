using System.Security.Cryptography;

namespace WarpDrive.OpenSsl;

/// <summary>What came of computing an operation again.</summary>
public enum ShadowOutcome
{
    /// <summary>Both ways gave the same bytes.</summary>
    Matched,

    /// <summary>They gave different bytes.</summary>
    Mismatched,

    /// <summary>The other way did not answer.</summary>
    Failed,
}

/// <summary>
/// A signature that was computed one way and is to be computed the other way too, when nobody waits for it any more. It keeps its key alive until
/// <see cref="Run"/>. Decryptions are never computed twice: what they give is a secret.
/// </summary>
public sealed class ShadowOperation
{
    private readonly OffloadedRsaKey _key;
    private readonly byte[] _input;
    private readonly byte[] _expected;
    private readonly bool _wasOnDevice;

    /// <summary>Copies both; the key is held by the caller for this object.</summary>
    internal ShadowOperation(OffloadedRsaKey key, ReadOnlySpan<byte> input, ReadOnlySpan<byte> expected, bool wasOnDevice)
    {
        _key = key;
        _input = input.ToArray();
        _expected = expected.ToArray();
        _wasOnDevice = wasOnDevice;
    }

    /// <summary>Whether a device computed it first, so that software computes it now.</summary>
    public bool WasOnDevice => _wasOnDevice;

    /// <summary>Computes it, on any thread that may wait for a device, and lets the key go. Once.</summary>
    public ShadowOutcome Run()
    {
        try
        {
            byte[] output = new byte[_expected.Length];
            return !_key.TryComputeOtherWay(_wasOnDevice, _input, output) ? ShadowOutcome.Failed
                : CryptographicOperations.FixedTimeEquals(output, _expected) ? ShadowOutcome.Matched
                : ShadowOutcome.Mismatched;
        }
        finally
        {
            _key.Release();
        }
    }

    /// <summary>In place of <see cref="Run"/>: lets the key go.</summary>
    public void Drop() => _key.Release();
}
