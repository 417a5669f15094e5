using System.Text.Json;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Sessions that <c>openssl s_client</c> keeps in a file and offers again: to another process, after rotations, where tickets are off.</summary>
public sealed class TicketTests(ITestOutputHelper output) : IAsyncLifetime, IDisposable
{
    private readonly Scenario _scenario = new(output);
    private readonly TestCertificate _certificate = TestCertificate.Rsa(2048);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _scenario.DisposeAsync();

    public void Dispose() => _certificate.Dispose();

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("-tls1_2", "device")]
    [InlineData("-tls1_3", "device")]
    [InlineData("-tls1_2", "software")]
    [InlineData("-tls1_3", "software")]
    public async Task Ticket_of_one_process_is_resumed_by_another_without_a_private_key_operation(string version, string path)
    {
        WriteKey("1");
        await using ProxyProcess one = await StartAsync(Keys, "--path", path);
        await using ProxyProcess other = await StartAsync(Keys, "--path", path);
        await FullAsync(one, version, "-sess_out", Session);
        for (int i = 0; i < 3; i++)
        {
            await ResumedAsync(other, version, "-sess_in", Session, "-sess_out", Session);
        }

        ProxyStatus first = await one.StatusAsync();
        ProxyStatus second = await other.StatusAsync();
        Assert.Equal(path == "device" ? (1, 0) : (0, 1), (first.Operations.Device, first.Operations.Software));
        Assert.Equal((0, 0), (second.Operations.Device, second.Operations.Software));
        Assert.Equal(new ResumptionStatus(Resumed: 0, Full: 1, 0, 0, 0, 0), first.Resumption);
        Assert.Equal(new ResumptionStatus(Resumed: 3, Full: 0, 0, 0, 0, 0), second.Resumption);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Ticket_outlives_rotations_until_its_key_is_taken_away(string version)
    {
        WriteKey("1");
        WriteKey("2");
        WriteKey("3");
        await using ProxyProcess proxy = await StartAsync(Keys);
        await FullAsync(proxy, version, "-sess_out", Session);

        // As it is done: one key more, and the oldest less.
        await RotateAsync(proxy, "4", "1");
        await ResumedAsync(proxy, version, "-sess_in", Session);
        Assert.Equal(new ResumptionStatus(1, 1, OldKey: 1, 0, 0, 0), (await proxy.StatusAsync()).Resumption);

        await RotateAsync(proxy, "5", "2");
        await FullAsync(proxy, version, "-sess_in", Session, "-sess_out", Session);
        Assert.Equal(new ResumptionStatus(1, 2, OldKey: 1, 0, UnknownKey: 1, 0), (await proxy.StatusAsync()).Resumption);
        await ResumedAsync(proxy, version, "-sess_in", Session);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Process_that_has_not_rotated_yet_takes_tickets_of_one_that_has(string version)
    {
        string[] keys = [WriteKey("1"), WriteKey("2"), WriteKey("3")];
        string behind = Configure("behind.json", keys);
        string ahead = Configure("ahead.json", keys[1], keys[2], WriteKey("4"));
        await using ProxyProcess one = await StartWithAsync(ahead);
        await using ProxyProcess other = await StartWithAsync(behind);
        await FullAsync(one, version, "-sess_out", Session);
        await ResumedAsync(other, version, "-sess_in", Session, "-sess_out", Session);
        Assert.Equal(new ResumptionStatus(1, 0, 0, NextKey: 1, 0, 0), (await other.StatusAsync()).Resumption);
        await ResumedAsync(one, version, "-sess_in", Session);
    }

    [DebianPackageFact("openssl", Tool.OpenSsl)]
    public async Task Swapped_Secret_of_Kubernetes_is_taken_up_unasked()
    {
        Mount("..r1", "1", "2", "3");
        await using ProxyProcess proxy = await StartAsync(Keys);
        await FullAsync(proxy, "-tls1_3", "-sess_out", Session);
        string before = Encrypting(proxy);
        Mount("..r2", "2", "3", "4");
        await Eventually.TrueAsync("another key encrypts", () => Encrypting(proxy) != before);
        await ResumedAsync(proxy, "-tls1_3", "-sess_in", Session);
        Assert.Equal(1, (await proxy.StatusAsync()).Resumption.OldKey);
    }

    [DebianPackageFact("openssl", Tool.OpenSsl)]
    public async Task Damaged_key_file_is_told_and_the_keys_before_it_serve_on()
    {
        WriteKey("1");
        await using ProxyProcess proxy = await StartAsync(Keys);
        await FullAsync(proxy, "-tls1_3", "-sess_out", Session);
        File.WriteAllText(Path.Combine(Keys, "1"), "damaged");
        proxy.Process.Send(Signal.Hangup);
        await Eventually.TrueAsync("the refusal is logged", () => proxy.Process.Output.Any(static line => line.Contains("Ticket keys stay as they were: ", StringComparison.Ordinal)));
        await ResumedAsync(proxy, "-tls1_3", "-sess_in", Session);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Listener_without_tickets_gives_none_and_takes_none(string version)
    {
        await using ProxyProcess proxy = await StartWithAsync(_scenario.Write("proxy.json", """
            { "Listeners": { "off": { "Url": "https://127.0.0.1:0", "Tickets": { "Enabled": false } } } }
            """));
        string off = await ListenerAsync(proxy);
        await FullAsync(proxy, version, "-connect", off, "-sess_out", Session);
        Assert.False(File.Exists(Session) && (await DescribeAsync(Session)).Contains("TLS session ticket:", StringComparison.Ordinal));
        await FullAsync(proxy, version, "-sess_out", Session);
        await ResumedAsync(proxy, version, "-sess_in", Session);
        await FullAsync(proxy, version, "-sess_in", Session, "-connect", off);
        Assert.Equal(new ResumptionStatus(1, 3, 0, 0, 0, 0), (await proxy.StatusAsync()).Resumption);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Ticket_of_one_listener_is_of_no_use_on_another(string version)
    {
        await using ProxyProcess proxy = await StartWithAsync(_scenario.Write("proxy.json", """
            { "Listeners": { "internal": { "Url": "https://127.0.0.1:0" } } }
            """));
        await FullAsync(proxy, version, "-sess_out", Session);
        await FullAsync(proxy, version, "-sess_in", Session, "-connect", await ListenerAsync(proxy));
        await ResumedAsync(proxy, version, "-sess_in", Session);
        Assert.Equal(new ResumptionStatus(1, 2, 0, 0, 0, RefusedTicket: 1), (await proxy.StatusAsync()).Resumption);
    }

    [DebianPackageTheory("openssl", Tool.OpenSsl)]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Clients_are_told_how_long_and_that_early_data_is_off(string version)
    {
        await using ProxyProcess proxy = await StartWithAsync(_scenario.Write("proxy.json", """{ "Tickets": { "Lifetime": "01:00:00" } }"""));
        await FullAsync(proxy, version, "-sess_out", Session);
        string session = await DescribeAsync(Session);
        Assert.Contains("TLS session ticket lifetime hint: 3600 (seconds)", session, StringComparison.Ordinal);
        Assert.Equal(version == "-tls1_3", session.Contains("Max Early Data: 0\n", StringComparison.Ordinal));
    }

    private string Keys => Directory.CreateDirectory(_scenario.File("keys")).FullName;

    private string Session => _scenario.File("session.pem");

    /// <summary>Makes a key as operators do; returns its path.</summary>
    private string WriteKey(string name)
    {
        string file = Path.Combine(Keys, name);
        File.WriteAllBytes(file, System.Security.Cryptography.RandomNumberGenerator.GetBytes(80));
        return file;
    }

    /// <summary>Mounts keys of the given names as the kubelet does: in a directory of its time, to which a link is renamed over the one before.</summary>
    private void Mount(string revision, params string[] names)
    {
        string directory = Directory.CreateDirectory(Path.Combine(Keys, revision)).FullName;
        for (int i = 0; i < names.Length; i++)
        {
            string store = Directory.CreateDirectory(_scenario.File("store")).FullName + "/" + names[i];
            if (!File.Exists(store))
            {
                File.WriteAllBytes(store, System.Security.Cryptography.RandomNumberGenerator.GetBytes(80));
            }

            File.Copy(store, Path.Combine(directory, $"key{i}"));
            if (!File.Exists(Path.Combine(Keys, $"key{i}")))
            {
                File.CreateSymbolicLink(Path.Combine(Keys, $"key{i}"), $"..data/key{i}");
            }
        }

        File.CreateSymbolicLink(Path.Combine(Keys, "..data_tmp"), revision);
        using var move = System.Diagnostics.Process.Start("/usr/bin/mv", ["-T", Path.Combine(Keys, "..data_tmp"), Path.Combine(Keys, "..data")]);
        move.WaitForExit();
        Assert.Equal(0, move.ExitCode);
    }

    private string Configure(string name, params string[] keys) =>
        _scenario.Write(name, JsonSerializer.Serialize(new { Tickets = new { Keys = keys } }));

    private Task<ProxyProcess> StartAsync(string directory, params string[] arguments) =>
        StartWithAsync(_scenario.Write("proxy.json", JsonSerializer.Serialize(new { Tickets = new { Directory = directory } })), arguments);

    private Task<ProxyProcess> StartWithAsync(string config, params string[] arguments) =>
        ProxyProcess.StartAsync(_scenario, [.. _certificate.WriteTo(_scenario), "--config", config, .. arguments], ProxyProcess.LongDeadline);

    private Task FullAsync(ProxyProcess proxy, string version, params string[] arguments) => VisitAsync(proxy, "New, TLSv1.", version, arguments);

    private Task ResumedAsync(ProxyProcess proxy, string version, params string[] arguments) => VisitAsync(proxy, "Reused, TLSv1.", version, arguments);

    private async Task VisitAsync(ProxyProcess proxy, string expected, string version, string[] arguments)
    {
        ToolResult result = await Tool.GetWithOpenSslAsync(proxy, _scenario.File("root.pem"), [version, .. arguments]);
        Assert.Contains(expected, result.Output, StringComparison.Ordinal);
    }

    /// <summary>Of three keys. The proxy also looks by itself, perhaps between the two steps.</summary>
    private async Task RotateAsync(ProxyProcess proxy, string added, string removed)
    {
        string before = Encrypting(proxy);
        WriteKey(added);
        File.Delete(Path.Combine(Keys, removed));
        proxy.Process.Send(Signal.Hangup);
        await Eventually.TrueAsync(
            "another one of three keys encrypts", () => Encrypting(proxy) != before && Announcements(proxy)[^1].Contains("3 keys", StringComparison.Ordinal));
    }

    private static string Encrypting(ProxyProcess proxy) => Announcements(proxy)[^1].Split("; ")[^1];

    private static string[] Announcements(ProxyProcess proxy) =>
        [.. proxy.Process.Output.Where(static line => line.Contains("Session tickets: ", StringComparison.Ordinal))];

    /// <summary>Host and port of the listener that the configuration adds.</summary>
    private static async Task<string> ListenerAsync(ProxyProcess proxy) => (await Listeners.OfAsync(proxy, 1))[0].Authority;

    private static async Task<string> DescribeAsync(string session) =>
        (await Tool.RunAsync(Tool.OpenSsl, ["sess_id", "-in", session, "-noout", "-text"])).Output;
}
