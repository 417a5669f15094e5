using System.Globalization;
using System.Security.Cryptography;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd.Memory;

/// <summary>
/// Core files of running programs, searched for private keys. In each, the search must find what is there: moduli, which are public, and a key that was put
/// into the environment.
/// </summary>
[Collection(Alone.Name)]
public sealed class CoreFileTests(ITestOutputHelper output) : IDisposable
{
    private const string Password = "a_password_of_no_other_use_7Qx2KmZ";
    private const string Control = "control";

    // TLS 1.3, TLS 1.2 with ephemeral keys, and with RSA key exchange.
    private static readonly string[][] Handshakes =
        [["-tls1_3"], ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], ["-tls1_2", "-cipher", "AES128-GCM-SHA256"]];

    private readonly Dictionary<string, TestCertificate> _certificates = [];
    private readonly SecretPatterns _patterns = new();
    private readonly string _control = RandomNumberGenerator.GetHexString(64);

    public void Dispose()
    {
        foreach (TestCertificate certificate in _certificates.Values)
        {
            certificate.Dispose();
        }
    }

    [DebianPackageFact("gdb", CoreFile.Debugger)]
    public async Task Keys_without_fallback_to_software_are_in_no_core_file()
    {
        await using var scenario = new Scenario(output);
        Make(("pkcs8", 2048), ("pkcs1", 3072), ("encrypted", 4096), ("older", 2048), ("next", 2048), ("refused", 2048));
        byte[] ticketKey = RandomNumberGenerator.GetBytes(80);
        await File.WriteAllBytesAsync(scenario.File("tickets"), ticketKey);
        _patterns.AddBytes("tickets", ticketKey.AsSpan(16));
        _patterns.AddText("password", Password);
        scenario.Write("password", Password + "\n");
        WriteFiles(scenario, "pkcs8", "pkcs8", KeyPem("pkcs8"));
        WriteFiles(scenario, "pkcs1", "pkcs1", _certificates["pkcs1"].Pkcs1KeyPem);
        WriteFiles(scenario, "encrypted", "encrypted", _certificates["encrypted"].EncryptedKeyPem(Password));
        WriteFiles(scenario, "older", "older", await EncryptOlderAsync(scenario, KeyPem("older")));
        _patterns.AddKey("pkcs8", _certificates["pkcs8"].RsaKey, KeyPem("pkcs8"));
        _patterns.AddKey("pkcs1", _certificates["pkcs1"].RsaKey, _certificates["pkcs1"].Pkcs1KeyPem);
        _patterns.AddKey("encrypted", _certificates["encrypted"].RsaKey, KeyPem("encrypted"), _certificates["encrypted"].Pkcs1KeyPem);
        _patterns.AddKey("older", _certificates["older"].RsaKey, KeyPem("older"), _certificates["older"].Pkcs1KeyPem);
        _patterns.AddKey("next", _certificates["next"].RsaKey, KeyPem("next"));
        _patterns.AddKey("refused", _certificates["refused"].RsaKey, KeyPem("refused"));
        string[] names = ["encrypted", "older", "pkcs1", "pkcs8"];
        string config = scenario.Write("proxy.json", $$"""
            {
              "Offload": { "Deadline": "00:00:10", "Fallback": "none" },
              "Files": { "Interval": "00:00:00.1" },
              "Tickets": { "Keys": [ "{{scenario.File("tickets")}}" ] },
              "Certificates": { {{string.Join(", ", names.Select(name => Section(scenario, name, name is "encrypted" or "older")))}} },
              "Listeners": { {{string.Join(", ", names.Select(Listener))}} }
            }
            """);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, ["--config", config], Environment());
        Uri[] urls = await Listeners.OfAsync(proxy, names.Length);
        await HandshakeAsync(scenario, proxy, names, urls);

        // The key of one file is replaced, and that of another by one that is refused.
        WriteFiles(scenario, "pkcs8", "next", KeyPem("next"));
        scenario.Write("pkcs1.key", KeyPem("refused"));
        await Eventually.TrueAsync("a key is refused", () => proxy.Process.Output.Any(static line => line.Contains("does not belong to the certificate", StringComparison.Ordinal)));
        await Eventually.TrueAsync("the other key is in use", async () => await IsServedAsync(proxy.At(urls[3]), scenario.File("pkcs8.root"), "-tls1_3"));
        await HandshakeAsync(scenario, proxy, names, urls);
        await Eventually.TrueAsync("the key that is gone is erased", async () => (await proxy.StatusAsync()).Certificates.DeviceKeys == names.Length);
        OperationStatus operations = (await proxy.StatusAsync()).Operations;
        Assert.True(operations.Device >= 24 && operations.Software == 0, operations.Since(new OperationStatus(0, 0, [])));

        CoreFindings findings = await SearchAsync(scenario, proxy.Process, "encrypted", "older", "pkcs1", "next");
        AssertNone(findings, "pkcs8", "pkcs1", "encrypted", "older", "next", "refused", "tickets", "password");
    }

    [DebianPackageFact("gdb", CoreFile.Debugger)]
    public async Task Keys_that_software_had_to_use_and_operations_that_failed_leave_nothing_in_either_process()
    {
        await using var scenario = new Scenario(output);
        Make(("software", 2048), ("none", 2048));
        string[] names = ["none", "software"];
        foreach (string name in names)
        {
            WriteFiles(scenario, name, name, KeyPem(name));
            _patterns.AddKey(name, _certificates[name].RsaKey, KeyPem(name));
        }

        EmulatorProcess emulator = await EmulatorProcess.StartAsync(scenario, scenario.File("device.sock"));
        string config = scenario.Write("proxy.json", $$"""
            {
              "Offload": { "Path": "device", "Devices": [ "{{emulator.DeviceUri}}" ] },
              "Certificates": { {{Section(scenario, "none", false, "none")}}, {{Section(scenario, "software", false, "software")}} },
              "Listeners": { {{string.Join(", ", names.Select(Listener))}} }
            }
            """);
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(scenario, ["--config", config], Environment());
        Uri[] urls = await Listeners.OfAsync(proxy, names.Length);
        await Eventually.TrueAsync("the device computed with each key", async () =>
        {
            long before = (await proxy.StatusAsync()).Operations.Device;
            long expected = before + (names.Length * Handshakes.Length);
            await ConnectAllAsync(scenario, proxy, names, urls);
            return (await proxy.StatusAsync()).Operations.Device == expected;
        });

        // From now on it answers nobody.
        emulator.Process.Send(Signal.Stop);
        await Eventually.TrueAsync("software computed, and nothing", async () =>
        {
            IReadOnlyList<ToolResult> results = await ConnectAllAsync(scenario, proxy, names, urls);
            OperationStatus operations = (await proxy.StatusAsync()).Operations;
            return operations.Software > 0 && operations.Failed.Values.Sum() > 0
                && results.Any(static result => result.Error.Contains("alert internal error", StringComparison.Ordinal))
                && results.Any(static result => result.Output.Contains("Verification: OK", StringComparison.Ordinal));
        });
        emulator.Process.Send(Signal.Continue);
        await Eventually.TrueAsync("nothing is in use", async () => (await proxy.StatusAsync()).Leaks is { SlotsInUse: 0, OperationsInFlight: 0, LanesBusy: 0 });
        AssertNone(await SearchAsync(scenario, proxy.Process, names), names);
        CoreFindings ofEmulator = await CoreFile.SearchAsync(scenario, emulator.Process, _patterns);
        AssertNone(ofEmulator, names);
    }

    [DebianPackageFact("gdb", CoreFile.Debugger)]
    public async Task Key_of_path_software_is_in_the_numbers_of_OpenSSL_alone_and_locked_memory_keeps_it_out_of_them()
    {
        await using var scenario = new Scenario(output);
        Make(("openssl", 2048), ("locked", 2048));
        _patterns.AddKey("openssl", _certificates["openssl"].RsaKey, KeyPem("openssl"));
        _patterns.AddKey("locked", _certificates["locked"].RsaKey, KeyPem("locked"));
        CoreFindings findings = await RunInSoftwareAsync(scenario, "openssl");

        // The control: the search finds a key where it is. One number each; of the primes another in Montgomery form's context.
        foreach (string part in (string[])["p", "q", "dp", "dq", "qinv", "d"])
        {
            IReadOnlyDictionary<string, int> counts = findings.Counts($"openssl {part} le");
            Assert.Equal(part == "d" ? 16 : 8, counts.Count);
            Assert.All(counts.Values, count => Assert.InRange(count, 1, part is "p" or "q" ? 2 : 1));
        }

        Assert.DoesNotContain(findings.Of("openssl"), static line => !line.Contains(" le +", StringComparison.Ordinal) && !line.Contains(" n ", StringComparison.Ordinal));
        AssertNone(await RunInSoftwareAsync(scenario, "locked", "WARPPROXY_Offload__RequireLockedMemory"), "locked");
    }

    private async Task<CoreFindings> RunInSoftwareAsync(Scenario scenario, string name, string? setting = null)
    {
        WriteFiles(scenario, name, name, KeyPem(name));
        Dictionary<string, string> environment = Environment();
        if (setting is not null)
        {
            environment[setting] = "true";
        }

        environment["WARPPROXY_Protocol__Profile"] = "old";
        await using ProxyProcess proxy = await ProxyProcess.StartAsync(
            scenario, ["--certificate", scenario.File($"{name}.crt"), "--key", scenario.File($"{name}.key"), "--path", "software"], environment);
        await HandshakeAsync(scenario, proxy, [name], [proxy.Url]);
        Assert.Equal(Handshakes.Length, (await proxy.StatusAsync()).Operations.Software);
        return await SearchAsync(scenario, proxy.Process, name);
    }

    private void Make(params (string Name, int Bits)[] keys)
    {
        foreach ((string name, int bits) in keys)
        {
            _certificates[name] = TestCertificate.Rsa(bits);
            _patterns.AddModulus($"{name}-public", _certificates[name].RsaKey);
        }

        _patterns.AddText(Control, _control);
    }

    private string KeyPem(string name) => _certificates[name].KeyPem;

    private void WriteFiles(Scenario scenario, string file, string name, string keyPem)
    {
        scenario.Write($"{file}.key", keyPem);
        scenario.Write($"{file}.crt", _certificates[name].ChainPem);
        scenario.Write($"{file}.root", _certificates[name].RootPem);
    }

    private Dictionary<string, string> Environment() => new() { ["WARP_TESTS_CONTROL"] = _control };

    private static async Task HandshakeAsync(Scenario scenario, ProxyProcess proxy, string[] names, Uri[] urls)
    {
        foreach ((string name, Uri url) in names.Zip(urls))
        {
            foreach (string[] arguments in Handshakes)
            {
                await Tool.GetWithOpenSslAsync(proxy.At(url), scenario.File($"{name}.root"), arguments);
            }
        }
    }

    /// <summary>Each kind of handshake with each of them, whether it succeeds or not.</summary>
    private static async Task<IReadOnlyList<ToolResult>> ConnectAllAsync(Scenario scenario, ProxyProcess proxy, string[] names, Uri[] urls)
    {
        List<ToolResult> results = [];
        foreach ((string name, Uri url) in names.Zip(urls))
        {
            foreach (string[] arguments in Handshakes)
            {
                results.Add(await ConnectAsync(proxy.At(url), scenario.File($"{name}.root"), arguments));
            }
        }

        return results;
    }

    private static async Task<bool> IsServedAsync(ProxyProcess proxy, string trusted, params string[] arguments) =>
        (await ConnectAsync(proxy, trusted, arguments)).Output.Contains("Verification: OK", StringComparison.Ordinal);

    private static Task<ToolResult> ConnectAsync(ProxyProcess proxy, string trusted, string[] arguments) => Tool.RunAsync(
        Tool.OpenSsl, ["s_client", "-connect", proxy.HostAndPort, "-CAfile", trusted, "-verify_return_error", .. arguments]);

    private static async Task<string> EncryptOlderAsync(Scenario scenario, string pem)
    {
        string path = scenario.File("older.pem");
        ToolResult result = await Tool.RunAsync(Tool.OpenSsl, ["rsa", "-traditional", "-aes256", "-passout", $"pass:{Password}", "-out", path], pem);
        Assert.True(result.ExitCode == 0, result.ToString());
        return await File.ReadAllTextAsync(path);
    }

    private static string Section(Scenario scenario, string name, bool isEncrypted, string? fallback = null) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        "{{name}}": { "File": "{{scenario.File($"{name}.crt")}}", "KeyFile": "{{scenario.File($"{name}.key")}}"
        {{(isEncrypted ? $", \"PasswordFile\": \"{scenario.File("password")}\"" : "")}}{{(fallback is null ? "" : $", \"Fallback\": \"{fallback}\"")}} }
        """);

    private static string Listener(string name) =>
        $$"""
        "{{name}}": { "Url": "https://127.0.0.1:0", "Certificates": [ "{{name}}" ], "Protocol": { "Profile": "old" } }
        """;

    /// <summary>Takes a core file in which the controls are found.</summary>
    private async Task<CoreFindings> SearchAsync(Scenario scenario, RunningProcess process, params string[] names)
    {
        CoreFindings findings = await CoreFile.SearchAsync(scenario, process, _patterns);
        Assert.NotEmpty(findings.Of(Control));
        Assert.All(names, name => Assert.NotEmpty(findings.Of($"{name}-public")));
        return findings;
    }

    private void AssertNone(CoreFindings findings, params string[] secrets)
    {
        foreach (string line in secrets.SelectMany(findings.Of))
        {
            output.WriteLine(line);
        }

        Assert.Empty(secrets.SelectMany(findings.Of));
    }
}
