using System.Net;
using System.Net.Sockets;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>What cannot be used is refused at start: exit code 2, one sentence that names what was seen, and nothing else.</summary>
public sealed class BadInputTests(ITestOutputHelper output)
{
    private const string Password = "right";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public Task Missing_certificate_file() => AssertRefusedAsync(
        scenario => ["--certificate", scenario.File("missing.pem")],
        scenario => $"Certificate file '{scenario.File("missing.pem")}' does not exist.");

    [Fact]
    public Task Certificate_file_that_is_a_directory() => AssertRefusedAsync(
        scenario => ["--certificate", Directory.CreateDirectory(scenario.File("directory")).FullName],
        scenario => $"'{scenario.File("directory")}' cannot be read");

    [Fact]
    public Task Certificate_file_without_a_certificate() => AssertRefusedAsync(
        scenario => ["--certificate", scenario.Write("empty.pem", "hello\n")],
        scenario => $"'{scenario.File("empty.pem")}' has no certificate");

    [Fact]
    public Task Damaged_certificate() => AssertRefusedAsync(
        scenario => ["--certificate", scenario.Write("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")],
        scenario => $"'{scenario.File("damaged.pem")}'");

    [Fact]
    public Task Missing_key_file() => AssertRefusedAsync(
        scenario => WithCertificate(scenario, TestCertificate.Rsa(2048), key: null),
        scenario => $"Key file '{scenario.File("key.pem")}' does not exist.");

    [Fact]
    public Task Key_file_without_a_key() => AssertRefusedAsync(
        scenario => WithCertificate(scenario, TestCertificate.Rsa(2048), key: _ => "nothing\n"),
        scenario => $"Key file '{scenario.File("key.pem")}' has no private key");

    [Fact]
    public Task Key_of_another_certificate() => AssertRefusedAsync(
        scenario =>
        {
            using var other = TestCertificate.Rsa(2048);
            return WithCertificate(scenario, TestCertificate.Rsa(2048), _ => other.KeyPem);
        },
        scenario => $"The key in '{scenario.File("key.pem")}' does not belong to the certificate in '{scenario.File("certificate.pem")}'.");

    [Fact]
    public Task Key_of_another_kind_than_the_certificates() => AssertRefusedAsync(
        scenario =>
        {
            using var other = TestCertificate.Ecdsa();
            return WithCertificate(scenario, TestCertificate.Rsa(2048), _ => other.KeyPem);
        },
        scenario => $"The key in '{scenario.File("key.pem")}' does not belong to the certificate in '{scenario.File("certificate.pem")}'.");

    [Fact]
    public Task Rsa_key_that_is_too_short() => AssertRefusedAsync(
        scenario => WithCertificate(scenario, TestCertificate.Rsa(1024), certificate => certificate.KeyPem),
        scenario => $"The RSA key in '{scenario.File("key.pem")}' has 1024 bits; it must have at least 2048.");

    [Fact]
    public Task Wrong_password() => AssertRefusedAsync(
        scenario =>
        [
            .. WithCertificate(scenario, TestCertificate.Rsa(2048), certificate => certificate.EncryptedKeyPem(Password)),
            "--key-password-file", scenario.Write("password", "wrong"),
        ],
        scenario => $"The password given does not open the key in '{scenario.File("key.pem")}'");

    [Fact]
    public Task Missing_password() => AssertRefusedAsync(
        scenario => WithCertificate(scenario, TestCertificate.Rsa(2048), certificate => certificate.EncryptedKeyPem(Password)),
        scenario => $"The key in '{scenario.File("key.pem")}' is encrypted; give its password");

    [Fact]
    public Task Empty_password_file() => AssertRefusedAsync(
        scenario =>
        [
            .. WithCertificate(scenario, TestCertificate.Rsa(2048), certificate => certificate.EncryptedKeyPem(Password)),
            "--key-password-file", scenario.Write("password", "\n"),
        ],
        scenario => $"'{scenario.File("password")}' has an empty first line");

    [Theory]
    [InlineData("quantum:")]
    [InlineData("embedded")]
    [InlineData("emulator:relative.sock")]
    [InlineData("")]
    public Task Unknown_device(string device) => AssertRefusedAsync(_ => ["--device", device], _ => $"Device '{device}'");

    [Fact]
    public Task Unknown_engine() => AssertRefusedAsync(_ => ["--engine", "fast"], _ => "Offload:Engine is 'fast'; it must be auto, scalar or simd.");

    [Fact]
    public async Task Engine_that_the_CPU_cannot_run()
    {
        await using var scenario = new Scenario(output);
        await AssertRefusedAsync(
            scenario,
            ["--engine", "simd"],
            "Offload:Engine is simd, which needs AVX2 and FMA, which this CPU lacks; allowed are auto and scalar.",
            new Dictionary<string, string> { ["DOTNET_EnableAVX2"] = "0" });
    }

    [Fact]
    public Task Socket_in_a_missing_directory() => AssertRefusedAsync(
        scenario => ["--device", $"emulator:{scenario.File("missing/device.sock")}"],
        scenario => scenario.File("missing"));

    [Fact]
    public Task Socket_path_that_is_a_file() => AssertRefusedAsync(
        scenario => ["--device", $"emulator:{scenario.Write("device.sock", "no socket")}"],
        scenario => scenario.File("device.sock"));

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("220 mail.example ESMTP ready\r\n")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")]
    public async Task Socket_of_another_protocol(string answer)
    {
        await using var scenario = new Scenario(output);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(scenario.File("device.sock")));
        listener.Listen();

        // Not where the tests take turns: one of them that computes for seconds would keep the answer back for longer than the proxy waits.
        Task answering = Task.Run(() => AnswerAsync(listener, answer));

        await AssertRefusedAsync(scenario, ["--device", $"emulator:{scenario.File("device.sock")}"], scenario.File("device.sock"));

        listener.Dispose();
        await answering;
    }

    [Theory]
    [InlineData("300")]
    [InlineData("0")]
    [InlineData("-16")]
    [InlineData("2048")]
    public Task Depth_that_is_not_allowed(string depth) => AssertRefusedAsync(
        scenario => ["--config", scenario.Write("proxy.json", $$"""{ "Offload": { "Depth": {{depth}} } }""")],
        _ => $"Offload:Depth is {depth}; it must be a power of two");

    [Fact]
    public async Task Port_of_the_clients_in_use()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await AssertRefusedAsync(_ => ["--urls", $"https://127.0.0.1:{Port(taken)}"], _ => $"Nothing can listen on https://127.0.0.1:{Port(taken)}", exitCode: 1);
    }

    [Fact]
    public async Task Port_of_the_operators_in_use()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await AssertRefusedAsync(_ => ["--admin", $"http://127.0.0.1:{Port(taken)}"], _ => $"Nothing can listen on http://127.0.0.1:{Port(taken)}", exitCode: 1);
    }

    [Fact]
    public Task Unknown_option() => AssertRefusedAsync(_ => ["--speed", "high"], _ => "'--speed'");

    [Fact]
    public Task Option_without_its_value() => AssertRefusedAsync(_ => ["--certificate"], _ => "--certificate");

    [Fact]
    public Task Missing_configuration_file() => AssertRefusedAsync(
        scenario => ["--config", scenario.File("missing.json")],
        scenario => $"Configuration file '{scenario.File("missing.json")}' does not exist.");

    [Fact]
    public Task Configuration_that_is_not_json() => AssertRefusedAsync(
        scenario => ["--config", scenario.Write("proxy.json", "{\n  \"Offload\": {\n    \"Depth\" 16\n  }\n}\n")],
        scenario => $"Configuration file '{scenario.File("proxy.json")}' is not JSON, line 3");

    [Fact]
    public Task Configuration_with_an_unknown_setting() => AssertRefusedAsync(
        scenario => ["--config", scenario.Write("proxy.json", """{ "Offload": { "Dept": 16 } }""")],
        _ => "Offload:Dept is not a setting");

    [Fact]
    public Task Missing_ticket_key_file() => AssertRefusedAsync(
        scenario => ["--config", scenario.Write("proxy.json", $$"""{ "Tickets": { "Keys": ["{{scenario.File("missing.key")}}"] } }""")],
        scenario => $"Ticket key file '{scenario.File("missing.key")}' does not exist.");

    [Fact]
    public Task Ticket_key_of_another_length() => AssertRefusedAsync(
        scenario => ["--config", scenario.Write("proxy.json", $$"""{ "Tickets": { "Keys": ["{{scenario.Write("short.key", new string('k', 48))}}"] } }""")],
        scenario => $"Ticket key file '{scenario.File("short.key")}' has 48 bytes, a key for AES-128; it must have 80, for AES-256: openssl rand 80.");

    [Fact]
    public Task Ticket_key_directory_without_a_key() => AssertRefusedAsync(
        scenario => ["--config", scenario.Write("proxy.json", $$"""{ "Tickets": { "Directory": "{{Directory.CreateDirectory(scenario.File("keys")).FullName}}" } }""")],
        scenario => $"Ticket key directory '{scenario.File("keys")}' has no file; it must have 1 to 16 keys.");

    [Fact]
    public Task Url_that_is_none() => AssertRefusedAsync(_ => ["--urls", "localhost:8443"], _ => "'localhost:8443'");

    [Fact]
    public Task Admin_listener_for_everybody() => AssertRefusedAsync(
        _ => ["--admin", "http://0.0.0.0:0"],
        _ => "Server:Admin is 'http://0.0.0.0:0', which other machines may reach; it must be an address of this one alone, such as http://127.0.0.1:9901, or Server:AdminTokenFile must name a file with a token.");

    private static int Port(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;

    private static string[] WithCertificate(Scenario scenario, TestCertificate certificate, Func<TestCertificate, string>? key)
    {
        using (certificate)
        {
            string[] arguments = certificate.WriteTo(scenario);
            if (key is null)
            {
                File.Delete(scenario.File("key.pem"));
            }
            else
            {
                scenario.Write("key.pem", key(certificate));
            }

            return arguments;
        }
    }

    /// <summary>Says <paramref name="answer"/> to whoever connects, and closes; until the listener is disposed.</summary>
    private static async Task AnswerAsync(Socket listener, string answer)
    {
        try
        {
            while (true)
            {
                using Socket client = await listener.AcceptAsync();
                byte[] question = new byte[4096];
                await client.ReceiveAsync(question);
                await client.SendAsync(System.Text.Encoding.ASCII.GetBytes(answer));
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // The test is over, or the proxy has closed first; it does not come again.
        }
    }

    private async Task AssertRefusedAsync(Func<Scenario, string[]> arguments, Func<Scenario, string> sentence, int exitCode = 2)
    {
        await using var scenario = new Scenario(output);
        await AssertRefusedAsync(scenario, arguments(scenario), sentence(scenario), exitCode: exitCode);
    }

    private static async Task AssertRefusedAsync(
        Scenario scenario, string[] arguments, string sentence, IReadOnlyDictionary<string, string>? environment = null, int exitCode = 2)
    {
        string[] urls = arguments.Contains("--urls") ? [] : ["--urls", "https://127.0.0.1:0"];
        string[] admin = arguments.Contains("--admin") ? [] : ["--admin", "http://127.0.0.1:0"];
        RunningProcess proxy = scenario.Start(Executable.Proxy, [.. urls, .. admin, .. arguments], environment);
        int ended = await proxy.WaitForExitAsync(Limit);

        string line = Assert.Single(proxy.Errors);
        Assert.Contains(sentence, line, StringComparison.Ordinal);
        Assert.EndsWith(".", line, StringComparison.Ordinal);
        Assert.DoesNotContain(proxy.Output, said => said.Contains("   at ", StringComparison.Ordinal));
        Assert.Equal(exitCode, ended);
    }
}
