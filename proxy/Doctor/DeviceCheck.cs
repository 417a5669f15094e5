using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Driver;
using WarpDrive.Driver.Devices;
using WarpDrive.Driver.VfioUser;
using WarpDrive.Emulator;
using WarpDrive.Linux;
using WarpProxy.Offload;

namespace WarpProxy.Doctor;

/// <summary>
/// One device of the configuration: opens the queues that the proxy would open, and asks what is known, for each key size. A device that others use serves
/// them meanwhile.
/// </summary>
internal sealed class DeviceCheck(DeviceUri device, ExaminedConfiguration configuration) : ICheck
{
    private const string KnownAnswer = "known-answer";
    private const string HardwareAdvice = "See what the checks uacce, vfio and mdev say of it";

    // Of RSA-2048; longer keys get more. Whether an answer is quick enough is judged by Offload:Deadline.
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);

    private readonly string _uri = device.ToString();
    private readonly OffloadOptions _offload = configuration.Options.Offload;

    /// <inheritdoc/>
    public string Name => "device";

    /// <inheritdoc/>
    public string? Subject => _uri;

    /// <inheritdoc/>
    public TimeSpan Limit => TimeSpan.FromSeconds(90);

    /// <inheritdoc/>
    public IEnumerable<Finding> Run()
    {
        EmulatedAccelerator? embedded = null;
        List<DeviceQueue> queues = [];
        try
        {
            DeviceEndpoint? endpoint = null;
            Finding? refusal = Try(() =>
            {
                embedded = device.Kind == DeviceKind.Embedded ? Accelerator.MakeEmbedded(_offload, NullLoggerFactory.Instance) : null;
                endpoint = Accelerator.FindEndpoint(device, embedded, _offload.Tree, KernelDeviceCalls.Instance);
            });
            if (refusal is not null)
            {
                yield return refusal;
                yield break;
            }

            do
            {
                refusal = Try(() => queues.Add(endpoint!.Open(_offload.Depth)));
            }
            while (refusal is null && queues.Count < _offload.QueuesPerDevice);
            yield return queues.Count == 0 ? refusal! : Describe(queues, refusal);
            if (queues.Count == 0)
            {
                yield break;
            }

            Close(queues);
            IReadOnlyList<ProbeResult> results = [];
            refusal = Try(() => results = Probe(endpoint!));
            if (refusal is not null)
            {
                yield return refusal with { Check = KnownAnswer };
            }

            foreach (IGrouping<int, ProbeResult> size in results.GroupBy(static result => result.Bits))
            {
                yield return Judge(size.Key, [.. size]);
            }
        }
        finally
        {
            Close(queues);
            embedded?.Dispose();
        }
    }

    private Finding Describe(List<DeviceQueue> queues, Finding? refusal)
    {
        DeviceQueue first = queues[0];
        string seen = string.Create(
            CultureInfo.InvariantCulture,
            $"{queues.Count} of {_offload.QueuesPerDevice} queue{(_offload.QueuesPerDevice == 1 ? "" : "s")} opened; {first.EngineCount} engine{(first.EngineCount == 1 ? "" : "s")}, {first.EngineName}");
        Finding finding = refusal is null
            ? Finding.Ok(Name, _uri, seen)
            : Finding.Warning(Name, _uri, $"{seen}; the next one: {refusal.Seen}", "Operations that find no queue are computed in software: allow the device more queues, or set Offload:QueuesPerDevice lower");
        return finding with
        {
            Values = new Dictionary<string, object?>
            {
                ["queues"] = queues.Count, ["queuesWanted"] = _offload.QueuesPerDevice, ["engines"] = first.EngineCount, ["engine"] = first.EngineName, ["lanes"] = first.EngineLanes,
            },
        };
    }

    /// <summary>Twice, since what comes first also loads code and wakes threads; the second time counts.</summary>
    private IReadOnlyList<ProbeResult> Probe(DeviceEndpoint endpoint)
    {
        var limits = new QueuePoolOptions { Depth = _offload.Depth, QueuesPerDevice = 1, Deadline = AnswerLimit };
        IReadOnlyList<ProbeResult> first = KnownAnswerProbe.Run(endpoint, limits, TimeProvider.System);
        return first.Any(static result => result.Error != AcceleratorError.None) ? first : KnownAnswerProbe.Run(endpoint, limits, TimeProvider.System);
    }

    /// <summary>Of one size: one operation alone, then several together.</summary>
    private Finding Judge(int bits, ProbeResult[] results)
    {
        TimeSpan deadline = new QueuePoolOptions { Deadline = _offload.Deadline }.DeadlineFor(bits / 8);
        ProbeResult alone = results[0];
        string size = $"RSA-{bits}: ";
        string seen = size + string.Join("; ", results.Select(result => result.ToString()[size.Length..]));
        Finding finding = results.Any(static result => result.Error != AcceleratorError.None)
            ? Finding.Failed(KnownAnswer, _uri, seen, "The proxy keeps such a device out of use and computes in software: restart it, or take it out of Offload:Devices")
            : alone.Latency > deadline
                ? Finding.Warning(
                    KnownAnswer,
                    _uri,
                    string.Create(CultureInfo.InvariantCulture, $"{seen}, later than the deadline of {deadline.TotalMilliseconds:0.#} ms"),
                    "Operations that are late are computed in software: look who else uses the device, or set Offload:Deadline higher")
            : Finding.Ok(KnownAnswer, _uri, seen);
        return finding with
        {
            Values = new Dictionary<string, object?>
            {
                ["bits"] = bits,
                ["milliseconds"] = Math.Round(alone.Latency.TotalMilliseconds, 3),
                ["together"] = results[^1].OperationCount,
                ["togetherMilliseconds"] = Math.Round(results[^1].Latency.TotalMilliseconds, 3),
            },
        };
    }

    private Finding? Try(Action attempt)
    {
        try
        {
            attempt();
            return null;
        }
        catch (LinuxException exception)
        {
            return Refuse(exception);
        }
        catch (Exception exception) when (exception is AcceleratorException or VfioUserProtocolException)
        {
            return Finding.Failed(
                Name,
                _uri,
                configuration.Locate(exception.Message).TrimEnd('.'),
                device.Kind == DeviceKind.Emulator ? "Set Offload:Devices to where the device is" : HardwareAdvice);
        }
    }

    private Finding Refuse(LinuxException exception)
    {
        (string seen, string advice) = exception.Error switch
        {
            _ when device.Kind is not (DeviceKind.Emulator or DeviceKind.Embedded) => (exception.Message.TrimEnd('.'), $"{HardwareAdvice}; meanwhile software computes"),
            Errno.ETIMEDOUT or Errno.EAGAIN => (
                string.Create(CultureInfo.InvariantCulture, $"no answer within {Accelerator.ConnectTimeout.TotalSeconds:0.#} s"),
                "Look whether the emulator is stopped, or far too busy; meanwhile software computes"),
            Errno.ENOENT => ("there is no such socket", $"Start the emulator: warp-emulator --socket {device.SocketPath}; meanwhile software computes"),
            Errno.ECONNREFUSED => (
                "nothing listens at the socket, which an earlier emulator has left", $"Start the emulator: warp-emulator --socket {device.SocketPath}; meanwhile software computes"),
            Errno.EACCES or Errno.EPERM => (exception.Message, "Let the proxy's user read and write the socket; meanwhile software computes"),
            Errno.ENOSPC => ($"it has no queue left: {exception.Message}", "Allow the emulator more queues (warp-emulator --help), or see who has them; meanwhile software computes"),
            _ => (exception.Message, "Meanwhile software computes"),
        };
        return Finding.Failed(Name, _uri, seen, _offload.Fallback == OffloadFallback.Software ? advice : advice.Replace("meanwhile software computes", "meanwhile handshakes fail", StringComparison.OrdinalIgnoreCase));
    }

    private static void Close(List<DeviceQueue> queues)
    {
        queues.ForEach(static queue => queue.Dispose());
        queues.Clear();
    }
}
