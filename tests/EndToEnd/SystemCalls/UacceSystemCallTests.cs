using System.Globalization;
using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.SystemCalls;

/// <summary>
/// The system calls that the real program makes for a device of UACCE, as strace sees them. The device is a plain file, whose ioctl(2) strace answers: with
/// success for the first, third and so on of a thread; the others are refused as the kernel refuses them for a plain file, which the driver takes for an older kernel
/// (SET_QP_INFO) and for a dead queue (PUT_Q).
/// </summary>
public sealed class UacceSystemCallTests(ITestOutputHelper output)
{
    private const int DusBytes = 86016;
    private const int MmioBytes = 8192;
    private const int PageBytes = 4096;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);    // every call of every thread waits twice for strace

    [TracedFact]
    public async Task Queue_is_opened_asked_started_polled_and_given_back_by_these_calls_in_this_order()
    {
        await using var scenario = new Scenario(output);
        string device = MakeDevice(scenario);
        string trace = scenario.File("trace");
        RunningProcess proxy = scenario.Start(
            SystemCallTrace.Program,
            [
                "-D", "-f", "-y", "-o", trace, "-e", "trace=openat,mmap,munmap,ioctl,ppoll,close", "-e", "inject=ioctl:retval=0:when=1+2",
                Executable.Proxy, "--urls", "https://127.0.0.1:0", "--admin", "http://127.0.0.1:0", "--path", "device", "--device", "uacce:hisi_hpre-0",
            ],
            new Dictionary<string, string>
            {
                ["WARPPROXY_Offload__DevDirectory"] = Path.GetDirectoryName(device)!,
                ["WARPPROXY_Offload__SysDirectory"] = scenario.File("sys"),
                ["WARPPROXY_Offload__Deadline"] = "00:00:00.001",
            });

        // Nothing answers the probe, so the queue is given back after it.
        await Eventually.TrueAsync(
            "the device is quarantined", () => proxy.Output.Concat(proxy.Errors).Any(static line => line.Contains("quarantined", StringComparison.Ordinal)), Patience);
        proxy.Send(Signal.Terminate);
        Assert.Equal(0, await proxy.WaitForExitAsync(Patience));

        List<string> listing = Describe(Calls(trace, device), device);
        output.WriteLine(string.Join('\n', listing));
        Assert.Equal(
            [
                "openat(AT_FDCWD, DEVICE, O_RDWR|O_CLOEXEC) = FILE",
                $"mmap(NULL, {DusBytes}, PROT_READ|PROT_WRITE, MAP_SHARED, FILE, 0x{PageBytes:x}) = RINGS",
                $"mmap(NULL, {MmioBytes}, PROT_READ|PROT_WRITE, MAP_SHARED, FILE, 0) = DOORBELLS",
                "ioctl(FILE, UACCE_CMD_QM_SET_QP_CTX, ADDRESS) = 0",
                "ioctl(FILE, UACCE_CMD_QM_SET_QP_INFO, ADDRESS) = -1 ENOTTY",
                "ioctl(FILE, UACCE_CMD_START_Q, 0) = 0",
                "ppoll(FILE, POLLIN, 10 ms or less)",
                "ioctl(FILE, UACCE_CMD_PUT_Q, 0) = -1 ENOTTY",
                $"munmap(RINGS, {DusBytes}) = 0",
                $"munmap(DOORBELLS, {MmioBytes}) = 0",
                "close(FILE) = 0",
            ],
            listing);
    }

    private static string MakeDevice(Scenario scenario)
    {
        string attributes = Directory.CreateDirectory(scenario.File("sys/class/uacce/hisi_hpre-0")).FullName;
        foreach ((string name, string text) in ((string, string)[])
            [
                ("api", "hisi_qm_v2"), ("flags", "1"), ("algorithms", "rsa\ndh"), ("available_instances", "1024"),
                ("region_mmio_size", MmioBytes.ToString(CultureInfo.InvariantCulture)), ("region_dus_size", DusBytes.ToString(CultureInfo.InvariantCulture)),
            ])
        {
            File.WriteAllText(Path.Combine(attributes, name), text + "\n");
        }

        // As long as its regions reach: each starts at its number in pages.
        Directory.CreateDirectory(scenario.File("dev"));
        string device = scenario.File("dev/hisi_hpre-0");
        using FileStream file = File.Create(device);
        file.SetLength(PageBytes + DusBytes);
        return device;
    }

    private static IReadOnlyList<string> Calls(string trace, string device)
    {
        using var file = new FileStream(trace, FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return SystemCallTrace.CallsFrom(reader.ReadToEnd(), call => call.StartsWith("openat(", StringComparison.Ordinal) && call.Contains($"\"{device}\"", StringComparison.Ordinal));
    }

    /// <summary>From the first open to its close: what concerns the device, numbers replaced by names, and many sleeps by one.</summary>
    private static List<string> Describe(IReadOnlyList<string> calls, string device)
    {
        List<string> listing = [];
        List<string> names = ["RINGS", "DOORBELLS"];
        Dictionary<string, string> mappings = [];
        foreach (string call in calls)
        {
            string line = Regex.Replace(call, @" \(INJECTED.*\)$|(?<=ENOTTY) \(.*\)$", "");
            bool isOfDevice = line.Contains(device, StringComparison.Ordinal);
            line = Regex.Replace(line, $@"\d+<{Regex.Escape(device)}>", "FILE").Replace($"\"{device}\"", "DEVICE", StringComparison.Ordinal);
            line = Regex.Replace(line, @"AT_FDCWD<[^>]*>", "AT_FDCWD");
            line = Regex.Replace(line, @"\)\s+= ", ") = ");
            if (line.StartsWith("ppoll(", StringComparison.Ordinal) && isOfDevice)
            {
                // The last one may be shorter: no more is left of the deadline.
                Match sleep = Regex.Match(line, @"\{fd=FILE, events=POLLIN\}.*?tv_sec=0, tv_nsec=(?<ns>\d+)\}");
                line = sleep.Success && int.Parse(sleep.Groups["ns"].Value, CultureInfo.InvariantCulture) <= 10_000_000 ? "ppoll(FILE, POLLIN, 10 ms or less)" : line;
            }
            else if (line.StartsWith("mmap(", StringComparison.Ordinal) && isOfDevice && names.Count > 0)
            {
                string address = line[(line.LastIndexOf(' ') + 1)..];
                mappings[address] = names[0];
                names.RemoveAt(0);
                line = line.Replace(address, mappings[address], StringComparison.Ordinal);
            }
            else if (line.StartsWith("munmap(", StringComparison.Ordinal) && mappings.FirstOrDefault(one => line.Contains(one.Key, StringComparison.Ordinal)) is { Key: not null } mapping)
            {
                line = line.Replace(mapping.Key, mapping.Value, StringComparison.Ordinal);
                isOfDevice = true;
            }

            line = Regex.Replace(line, @"(?<=SET_QP_\w+, )0x[0-9a-f]+", "ADDRESS");
            if (isOfDevice && !(line.StartsWith("ppoll(", StringComparison.Ordinal) && listing[^1] == line))
            {
                listing.Add(line);
            }

            if (line.StartsWith("close(FILE)", StringComparison.Ordinal))
            {
                break;
            }
        }

        return listing;
    }

    /// <summary>A test that needs strace, and a machine that lets it work.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class TracedFactAttribute : FactAttribute
    {
        public TracedFactAttribute() => Skip = SystemCallTrace.WhyNot;
    }
}
