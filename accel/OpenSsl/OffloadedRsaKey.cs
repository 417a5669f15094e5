using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using WarpDrive.Driver;
using WarpDrive.Driver.Paths;
using WarpDrive.Linux;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Provider;

namespace WarpDrive.OpenSsl;

/// <summary>
/// An RSA private key whose operations a device computes, or software when the device does not. This is the only place where
/// software stands in for a device. Any thread may call any member.
/// </summary>
public sealed class OffloadedRsaKey : IDisposable
{
    private const int MaxIdleBlindings = 256;   // the most lanes there may be

    private readonly SoftwareRsaKey _software;
    private readonly DeviceKey? _deviceKey;
    private readonly DeviceOperation? _device;      // instead of the device key
    private readonly bool _isUnsupported;   // a device is wanted and cannot take the key
    private readonly OperationCounters _counters;
    private readonly Func<bool>? _begin;
    private readonly PathChooser? _chooser;
    private readonly IdlePool<RsaBlinding> _blindings = new(MaxIdleBlindings);
    private HolderCount _holders = new();       // the owner of this object, and every provider key made from it
    private int _isDisposed;

    /// <summary>Takes ownership of <paramref name="software"/>.</summary>
    /// <param name="software">The key; also computes what a device does not.</param>
    /// <param name="pool">The devices; null when software is the way chosen.</param>
    /// <param name="counters">Where operations are counted; may be shared by keys.</param>
    /// <param name="begin">
    /// Called at the start of each operation, on its thread: whether this thread may wait for a device. If not, software computes
    /// and the way counts as chosen. It must not throw.
    /// </param>
    /// <param name="chooser">Chooses for each operation between the devices and software; null: the devices always.</param>
    public OffloadedRsaKey(SoftwareRsaKey software, QueuePool? pool, OperationCounters counters, Func<bool>? begin = null, PathChooser? chooser = null)
    {
        ArgumentNullException.ThrowIfNull(software);
        ArgumentNullException.ThrowIfNull(counters);
        _software = software;
        _counters = counters;
        _begin = begin;
        _chooser = chooser;
        if (pool is not null)
        {
            _deviceKey = CreateDeviceKey(software, pool);
            _isUnsupported = _deviceKey is null;
        }
    }

    /// <summary>With a device operation of the caller's.</summary>
    internal OffloadedRsaKey(SoftwareRsaKey software, OperationCounters counters, DeviceOperation device)
    {
        _software = software;
        _device = device;
        _counters = counters;
    }

    /// <summary>Whether software computes what no device does; without, such an operation fails.</summary>
    public bool HasFallback { get; init; } = true;

    /// <summary>Sees every operation; null: nobody does.</summary>
    public IOperationObserver? Observer { get; init; }

    /// <summary>Which operations go to the devices; null: all, or as the chooser says.</summary>
    public PathComparison? Comparison { get; init; }

    /// <summary>Called on the thread of an operation that goes to a device, before it does: from then on it waits; null: nobody is told. It must not throw.</summary>
    public Action? BeginDevice { get; init; }

    /// <summary>Takes signatures to be computed the other way too; null: none are.</summary>
    public IShadowSink? Shadow { get; init; }

    private bool HasDevice => _device is not null || _deviceKey is not null;

    /// <summary>Bits of the modulus.</summary>
    public int ModulusBits => _software.ModulusBits;

    /// <summary>Bytes of the modulus.</summary>
    public int ModulusBytes => _software.ModulusBytes;

    /// <summary>The modulus, big-endian.</summary>
    public ReadOnlyMemory<byte> Modulus => _software.Modulus;

    /// <summary>The public exponent, big-endian without leading zeros.</summary>
    public ReadOnlyMemory<byte> Exponent => _software.Exponent;

    /// <summary>Computes input^d mod n, on a device if one does it, else in software. Both spans are modulus-sized and big-endian.</summary>
    /// <param name="input">Less than the modulus.</param>
    /// <param name="output">Where the result goes.</param>
    /// <param name="use">What it is for; for who watches.</param>
    /// <exception cref="OpenSslException">The input is not less than the modulus, the software failed too, or there is no fallback to it.</exception>
    public void Private(ReadOnlySpan<byte> input, Span<byte> output, RsaUse use = RsaUse.Raw)
    {
        RequireInput(input, output);
        OperationTimeline? timeline = Observer?.Watch();
        if (timeline is null)
        {
            CastShadow(input, output, Compute(input, output, use, null, out _));
            return;
        }

        timeline.Begin();
        AcceleratorError obstacle = AcceleratorError.None;
        OperationResult? result = null;
        try
        {
            result = Compute(input, output, use, timeline, out obstacle);
        }
        finally
        {
            timeline.Ended = Stopwatch.GetTimestamp();
            Observer!.Record(timeline, result ?? new OperationResult(use, ModulusBits, IsOnDevice: false, null, obstacle, HasFailed: true));
        }

        CastShadow(input, output, result.Value);
    }

    /// <summary>
    /// As <see cref="Private(ReadOnlySpan{byte}, Span{byte}, RsaUse)"/>, but blinded: neither the device, nor the fault check of its result, nor the software meets the input or
    /// the output, so that their time tells nothing about the output. For decryption, where what the time tells lets an attacker
    /// decrypt (Bleichenbacher 1998, Manger 2001); a signature is public.
    /// </summary>
    /// <exception cref="OpenSslException">The input is not less than the modulus, or the software failed too.</exception>
    [SkipLocalsInit]
    internal void Decrypt(ReadOnlySpan<byte> input, Span<byte> output)
    {
        RequireInput(input, output);
        Span<byte> blinded = stackalloc byte[SoftwareRsaKey.MaxModulusBits / 8];
        blinded = blinded[..ModulusBytes];
        RsaBlinding blinding = _blindings.Take() ?? RsaBlinding.Create(Modulus.Span, Exponent.Span);
        try
        {
            blinding.Convert(input, blinded);
            Private(blinded, output, RsaUse.Decryption);
            blinding.Invert(output);
        }
        catch
        {
            // It may have been left with an r and an inverse that do not belong together.
            blinding.Dispose();
            CryptographicOperations.ZeroMemory(output);
            throw;
        }

        _blindings.Give(blinding);
    }

    /// <summary>
    /// The certificate with this key: signatures (PKCS#1 v1.5 and PSS with SHA-256, SHA-384, SHA-512 and SHA-1, and that of TLS 1.0 and 1.1
    /// with MD5 and SHA-1) and the decryption of TLS RSA key exchange (<see cref="Decrypt"/>) go through <see cref="Private(ReadOnlySpan{byte}, Span{byte}, RsaUse)"/>. Other
    /// decryption and export of the private key are refused; signatures are verified with the certificate's public key.
    /// </summary>
    /// <returns>A new certificate. It keeps the key alive, also when this object is disposed before.</returns>
    /// <exception cref="OpenSslException"><see cref="OpenSslError.KeyMismatch"/>: the key does not belong to the certificate.</exception>
    public X509Certificate2 Attach(X509Certificate2 certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        using SafeEvpPKeyHandle key = CreateHandle();
        return CertificateKey.Attach(certificate, PrivateKeyType.Rsa, key);
    }

    /// <summary>Gives the key up. It is zeroed here and on the devices when the last certificate that has it is disposed too.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Release();
        }
    }

    /// <summary>A new EVP_PKEY of the provider, which keeps the key alive until it is freed.</summary>
    internal SafeEvpPKeyHandle CreateHandle()
    {
        // Acquire: a Dispose that ended before is seen. One that comes later finds the key held until the EVP_PKEY holds it.
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed) != 0 || !TryHold(), this);
        try
        {
            return WarpProvider.CreateKey(this);
        }
        finally
        {
            Release();
        }
    }

    internal bool IsBelowModulus(ReadOnlySpan<byte> number) => _software.IsBelowModulus(number);

    /// <summary>Keeps the key alive until <see cref="Release"/>. False when it has been given up already.</summary>
    internal bool TryHold() => _holders.TryEnter();

    internal void Release()
    {
        if (_holders.Leave())
        {
            try
            {
                _blindings.Dispose();
                _deviceKey?.Dispose();
            }
            finally
            {
                _software.Dispose();
            }
        }
    }

    /// <summary>Computes what was computed already by the way that it did not take then. False: that way gave nothing.</summary>
    internal bool TryComputeOtherWay(bool wasOnDevice, ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (!wasOnDevice)
        {
            return HasDevice && (_device is null ? _deviceKey!.TryPrivate(input, output) : _device(input, output)) == AcceleratorError.None;
        }

        try
        {
            _software.Private(input, output);
            return true;
        }
        catch (OpenSslException)
        {
            return false;
        }
    }

    private void CastShadow(ReadOnlySpan<byte> input, ReadOnlySpan<byte> output, in OperationResult result)
    {
        if (Shadow is { } shadow && HasDevice && (result.Use is RsaUse.Pkcs1Signature or RsaUse.PssSignature) && shadow.IsWanted() && TryHold())
        {
            shadow.Take(new ShadowOperation(this, input, output, result.IsOnDevice));
        }
    }

    /// <summary>Computes on the path there is; <paramref name="obstacle"/> is why no device did, for when this throws.</summary>
    private OperationResult Compute(ReadOnlySpan<byte> input, Span<byte> output, RsaUse use, OperationTimeline? timeline, out AcceleratorError obstacle)
    {
        obstacle = AcceleratorError.None;
        bool mayWait = _begin is null || _begin();
        if (mayWait && _chooser is not null && _deviceKey is not null)
        {
            return ComputeByChoice(_chooser, _deviceKey, input, output, use, timeline);
        }

        bool isWanted = mayWait && HasDevice && Comparison?.TakeDevice() != false;
        AcceleratorError error = AcceleratorError.UnsupportedKey;
        if (isWanted)
        {
            BeginDevice?.Invoke();
            error = _device is null ? _deviceKey!.TryPrivate(input, output, timeline) : _device(input, output);
            if (error == AcceleratorError.None)
            {
                _counters.CountDevice();
                return new OperationResult(use, ModulusBits, IsOnDevice: true, null, error, HasFailed: false);
            }
        }

        if (!HasFallback)
        {
            obstacle = error;
            _counters.CountFailure(error);
            throw new OpenSslException(OpenSslError.Failed, $"No device computed a private-key operation ({error}), and there is no fallback to software.");
        }

        ComputeInSoftware(input, output, timeline);
        if (isWanted || (mayWait && _isUnsupported))
        {
            _counters.CountFallback(error);
        }
        else
        {
            error = AcceleratorError.None;
            _counters.CountSoftware();
        }

        return new OperationResult(use, ModulusBits, IsOnDevice: false, null, error, HasFailed: false);
    }

    private OperationResult ComputeByChoice(
        PathChooser chooser, DeviceKey device, ReadOnlySpan<byte> input, Span<byte> output, RsaUse use, OperationTimeline? timeline)
    {
        AutoOperation operation = chooser.Begin(timeline);
        try
        {
            bool isDone = device.TryPrivateByChoice(ref operation, input, output, out AcceleratorError error);
            if (!isDone)
            {
                operation.BeginSoftware();
                ComputeInSoftware(input, output, timeline);
                operation.EndSoftware(ModulusBytes);
            }

            _counters.CountChoice(operation.Decision, error);
            return new OperationResult(use, ModulusBits, isDone, operation.Decision, error, HasFailed: false);
        }
        finally
        {
            operation.Dispose();
        }
    }

    private void ComputeInSoftware(ReadOnlySpan<byte> input, Span<byte> output, OperationTimeline? timeline)
    {
        if (timeline is not null)
        {
            timeline.SoftwareBegun = Stopwatch.GetTimestamp();
        }

        _software.Private(input, output);
    }

    private void RequireInput(ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (!_software.IsBelowModulus(input) || output.Length != ModulusBytes)
        {
            throw new OpenSslException(
                OpenSslError.Failed,
                $"Input of {input.Length} and output of {output.Length} bytes; both must be {ModulusBytes}, and the input less than the modulus.");
        }
    }

    private static DeviceKey? CreateDeviceKey(SoftwareRsaKey software, QueuePool pool)
    {
        // Pinned, so that the collector leaves no copy of the secret behind.
        byte[] block = GC.AllocateArray<byte>(software.CrtBlockBytes, pinned: true);
        try
        {
            return software.TryWriteCrtBlock(block)
                ? pool.CreateKey(block, software.ModulusBytes, software.CheckResult)
                : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(block);
            VectorRegisters.Clear();
        }
    }
}
