using System.Globalization;
using System.Text.RegularExpressions;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Memory;

/// <summary>Programs whose limit of locked memory is too low: a sentence says what to set.</summary>
public sealed partial class LockedMemoryTests(ITestOutputHelper output)
{
    private const long LimitBytes = 1 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Proxy_that_must_have_its_memory_locked_is_refused()
    {
        await using var scenario = new Scenario(output);
        RunningProcess proxy = StartLimited(scenario, Executable.Proxy, ProxyArguments(scenario), new() { ["WARPPROXY_Offload__RequireLockedMemory"] = "true" });
        Assert.Equal(2, await proxy.WaitForExitAsync(Patience));
        string line = Assert.Single(proxy.Errors);
        Assert.StartsWith("Offload:RequireLockedMemory is true. Locked memory is limited to 1048576 bytes, but keys need ", line, StringComparison.Ordinal);
        AssertSaysHow(line);
    }

    [Fact]
    public async Task Proxy_serves_and_says_what_it_needs_which_is_what_another_has_locked()
    {
        await using var scenario = new Scenario(output);
        RunningProcess limited = StartLimited(scenario, Executable.Proxy, ProxyArguments(scenario), []);
        await Eventually.TrueAsync("it serves", () => limited.Output.Any(static one => one.Contains("Serving https://", StringComparison.Ordinal)));
        string line = Assert.Single(limited.Output, static one => one.Contains("Locked memory is limited to 1048576 bytes", StringComparison.Ordinal));
        AssertSaysHow(line);
        long needed = long.Parse(Needed().Match(line).Groups[1].Value, CultureInfo.InvariantCulture);

        // Locks as much as it may; where that is all, the number is right within what depends on load.
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, []);
        long locked = LockedBytes(proxy.Process.Id);
        output.WriteLine($"needed {needed}, locked {locked}");
        Assert.InRange(locked, 0, needed);
        if (!proxy.Process.Output.Any(static one => one.Contains("ulimit -l", StringComparison.Ordinal)))
        {
            Assert.InRange(locked, needed / 2, needed);
        }
    }

    [Fact]
    public async Task Doctor_says_what_is_needed_and_how_to_allow_it()
    {
        await using var scenario = new Scenario(output);
        RunningProcess doctor;
        int attempts = 0;
        int exitCode;
        do
        {
            // A device that has to wait for a processor too long is rightly told; then it is asked again.
            doctor = StartLimited(scenario, Executable.Proxy, ["doctor", .. ProxyArguments(scenario)], []);
            exitCode = await doctor.WaitForExitAsync(TimeSpan.FromMinutes(3));
        }
        while (exitCode != 0 && ++attempts < 5);
        Assert.Equal(0, exitCode);
        string line = Assert.Single(doctor.Output, static one => one.Contains(" memlock ", StringComparison.Ordinal));
        Assert.Matches("^warning  memlock +1048576 bytes may be locked; 1 RSA key, lanes and queues need [0-9]+ bytes\\. ", line);
        AssertSaysHow(line);

        RunningProcess strict = StartLimited(
            scenario, Executable.Proxy, ["doctor", .. ProxyArguments(scenario)], new() { ["WARPPROXY_Offload__RequireLockedMemory"] = "true" });
        Assert.Equal(1, await strict.WaitForExitAsync(TimeSpan.FromMinutes(3)));
        Assert.Single(strict.Output, static one => one.StartsWith("failed   memlock ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Emulator_says_for_how_many_queues_it_is_enough()
    {
        await using var scenario = new Scenario(output);
        RunningProcess refused = StartLimited(scenario, Executable.Emulator, ["--socket", scenario.File("a.sock"), "--require-locked-memory"], []);
        Assert.Equal(2, await refused.WaitForExitAsync(Patience));
        string line = Assert.Single(refused.Errors);
        Assert.StartsWith("warp-emulator: --require-locked-memory is given. Locked memory is limited to 1048576 bytes, enough for ", line, StringComparison.Ordinal);
        AssertSaysHow(line);

        RunningProcess warned = StartLimited(scenario, Executable.Emulator, ["--socket", scenario.File("b.sock")], []);
        await Eventually.TrueAsync("it offers", () => warned.Output.Any(static one => one.Contains("Offering", StringComparison.Ordinal)));
        Assert.Single(warned.Output, static one => one.Contains("Locked memory is limited to 1048576 bytes", StringComparison.Ordinal));
    }

    private static string[] ProxyArguments(Scenario scenario)
    {
        using var certificate = TestCertificate.Rsa(2048);
        return [.. certificate.WriteTo(scenario), "--urls", "https://127.0.0.1:0", "--admin", "http://127.0.0.1:0"];
    }

    /// <summary>Root's processes may lock what they like, unless they give the capability up.</summary>
    private static RunningProcess StartLimited(Scenario scenario, string program, IEnumerable<string> arguments, Dictionary<string, string> environment)
    {
        string[] without = Environment.IsPrivilegedProcess ? ["/usr/bin/setpriv", "--bounding-set", "-ipc_lock", "--inh-caps", "-ipc_lock"] : [];
        return scenario.Start("/usr/bin/prlimit", [$"--memlock={LimitBytes}:{LimitBytes}", .. without, program, .. arguments], environment);
    }

    private static void AssertSaysHow(string line)
    {
        foreach (string way in (string[])["ulimit -l ", "LimitMEMLOCK=", "--ulimit memlock=", "IPC_LOCK"])
        {
            Assert.Contains(way, line, StringComparison.Ordinal);
        }
    }

    private static long LockedBytes(int process)
    {
        string line = File.ReadLines($"/proc/{process}/status").Single(static one => one.StartsWith("VmLck:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("keys need ([0-9]+) so")]
    private static partial Regex Needed();
}
