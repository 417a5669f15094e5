using WarpProxy.Configuration;

namespace WarpProxy.Tests.Unit.Proxy;

public sealed class ProxyOptionsTests
{
    [Theory]
    [InlineData("Offload:Depth", "300", "Offload:Depth is 300; it must be a power of two between 2 and 1024.")]
    [InlineData("Offload:Depth", "2048", "Offload:Depth is 2048; it must be a power of two between 2 and 1024.")]
    [InlineData("Offload:Depth", "many", "Offload:Depth is 'many'; it must be a whole number.")]
    [InlineData("Offload:Depht", "16", "Offload:Depht is not a setting; those of Offload are Breaker, CompareShare, Deadline, Depth, DevDirectory, Devices, Engine, Engines, Fallback, Path, QueuesPerDevice, RequireLockedMemory, Shadow, SysDirectory.")]
    [InlineData("Offload:Path", "sideways", "Offload:Path is 'sideways'; it must be auto, device, software or compare.")]
    [InlineData("Offload:CompareShare", "1", "Offload:CompareShare is 1; it must be more than 0 and less than 1.")]
    [InlineData("Offload:CompareShare", "0", "Offload:CompareShare is 0; it must be more than 0 and less than 1.")]
    [InlineData("Offload:Shadow", "1.5", "Offload:Shadow is 1.5; it must be between 0 and 1.")]
    [InlineData("Telemetry:Sampling", "2", "Telemetry:Sampling is 2; it must be between 0 and 1.")]
    [InlineData("Telemetry:Endpoint", "collector:4317", "Telemetry:Endpoint is 'collector:4317'; it must be a URL with http or https.")]
    [InlineData("Telemetry:Interval", "00:00:00.5", "Telemetry:Interval is 00:00:00.5000000; it must be between 00:00:01 and 01:00:00.")]
    [InlineData("Offload:Path", "7", "Offload:Path is '7'; it must be auto, device, software or compare.")]
    [InlineData("Offload:Deadline", "soon", "Offload:Deadline is 'soon'; it must be a time such as 00:00:05 (hours:minutes:seconds).")]
    [InlineData("Offload:Deadline", "00:01:00", "Offload:Deadline is 00:01:00; it must be between 00:00:00.001 and 00:00:10.")]
    [InlineData("Offload:Breaker:ErrorRate", "1.5", "Offload:Breaker:ErrorRate is 1.5; it must be more than 0 and at most 1.")]
    [InlineData("Offload:Breaker:MaxBackOff", "00:00:00.5", "Offload:Breaker:MaxBackOff is 00:00:00.5000000; it must be between FirstBackOff, which is 00:00:01, and 01:00:00.")]
    [InlineData("Offload:QueuesPerDevice", "0", "Offload:QueuesPerDevice is 0; it must be between 1 and 64.")]
    [InlineData("Offload:Engines", "65", "Offload:Engines is 65; it must be between 1 and 64.")]
    [InlineData("Offload:Engine", "fast", "Offload:Engine is 'fast'; it must be auto, scalar or simd.")]
    [InlineData("Offload:Engine", "7", "Offload:Engine is '7'; it must be auto, scalar or simd.")]
    [InlineData("Offload:Devices:0", "pci:3", "Device 'pci:3' is unknown; it must be embedded:, emulator:/path/to.sock, uacce:auto, uacce:NAME of a device in /sys/class/uacce, mdev:UUID, or none.")]
    [InlineData("Offload:Devices:0", "mdev:7", "Device 'mdev:7' has the UUID '7'; it must be that of a mediated device, 8-4-4-4-12 hexadecimal digits.")]
    [InlineData("Offload:Devices:0", "emulator:here.sock", "Device 'emulator:here.sock' has the socket path 'here.sock'; it must be absolute.")]
    [InlineData("Tls:Lanes", "257", "Tls:Lanes is 257; it must be between 1 and 256.")]
    [InlineData("Tls:MaxWaiting", "-1", "Tls:MaxWaiting is -1; it must be between 0 and 65536.")]
    [InlineData("Tls:ClientHelloTimeout", "00:00:00", "Tls:ClientHelloTimeout is 00:00:00; it must be between 00:00:00.1 and 00:05:00.")]
    [InlineData("Shutdown:Drain", "1.00:00:00", "Shutdown:Drain is 1.00:00:00; it must be between 00:00:00 and 01:00:00.")]
    [InlineData("Server:Urls", "ftp://localhost", "Server:Urls has 'ftp://localhost'; it must be a URL with http or https, such as https://localhost:8443.")]
    [InlineData("Server:Urls", ";", "Server:Urls is empty; it must have at least one URL such as https://localhost:8443.")]
    [InlineData("Server:Urls", "https://example.org:1", "Server:Urls has 'https://example.org:1'; its host must be localhost, an IP address or *.")]
    [InlineData("Server:Urls", "https://127.0.0.1:66000", "Server:Urls has 'https://127.0.0.1:66000'; its port must be between 0 and 65535.")]
    [InlineData("Server:Urls", "https://127.0.0.1:1/x", "Server:Urls has 'https://127.0.0.1:1/x'; it must end after the port, without the path '/x'.")]
    [InlineData("Server:Admin", "https://127.0.0.1:1", "Server:Admin is 'https://127.0.0.1:1'; it must be a URL with http.")]
    [InlineData("Server:Admin", "http://0.0.0.0:9901", "Server:Admin is 'http://0.0.0.0:9901', which other machines may reach; it must be an address of this one alone, such as http://127.0.0.1:9901, or Server:AdminTokenFile must name a file with a token.")]
    [InlineData("Server:Admin", "http://*:9901", "Server:Admin is 'http://*:9901', which other machines may reach; it must be an address of this one alone, such as http://127.0.0.1:9901, or Server:AdminTokenFile must name a file with a token.")]
    [InlineData("Server:AdminTokenFile", "", "Server:AdminTokenFile is ''; it must be the path of a file, or be left out.")]
    [InlineData("Server:Metrics", "https://127.0.0.1:1", "Server:Metrics is 'https://127.0.0.1:1'; it must be a URL with http.")]
    [InlineData("Server:Metrics", "9902", "Server:Metrics has '9902'; it must be a URL with http or https, such as https://localhost:8443.")]
    [InlineData("Server:Processors", "some", "Server:Processors is 'some'; it must be own or shared.")]
    [InlineData("Files:Interval", "00:00:00", "Files:Interval is 00:00:00; it must be between 00:00:00.1 and 01:00:00.")]
    [InlineData("Listeners:a:Url", "https://127.0.0.1/x", "Listeners:a:Url has 'https://127.0.0.1/x'; it must end after the port, without the path '/x'.")]
    [InlineData("Certificates:shop:KeyFile", "", "Certificates:shop:KeyFile is ''; it must be the path of a file, or be left out.\nCertificates:shop:File is not set; it must be the path of a PEM file, or Directory that of a directory of them.")]
    [InlineData("Certificates:shop:Path", "sideways", "Certificates:shop:Path is 'sideways'; it must be auto, device, software or compare.\nCertificates:shop:File is not set; it must be the path of a PEM file, or Directory that of a directory of them.")]
    [InlineData("Certificate:Path", "software", "Certificate:Path is 'software' but Certificate:File is not set.")]
    [InlineData("Certificate:Directory", "", "Certificate:Directory is ''; it must be the path of a directory, or be left out.")]
    [InlineData("CertificateExpiry:WarnBefore", "00:00:01", "CertificateExpiry:WarnBefore is 00:00:01; it must be between 1.00:00:00 and 365.00:00:00.")]
    [InlineData("Certificate:KeyFile", "k", "Certificate:KeyFile is 'k' but Certificate:File is not set; give both, or neither.")]
    [InlineData("Tickets:Lifetime", "00:00:10", "Tickets:Lifetime is 00:00:10; it must be between 00:01:00 and 7.00:00:00.")]
    [InlineData("Tickets:Lifetime", "1.00:00:00", "Tickets:Lifetime is 1.00:00:00; without Tickets:Keys or Tickets:Directory it must be at most 12:00:00, as long as the process keeps its own keys.")]
    [InlineData("Tickets:Keys:0", "", "Tickets:Keys has ''; it must be the path of a file.")]
    [InlineData("Tickets:Directory", "", "Tickets:Directory is ''; it must be the path of a directory, or be left out.")]
    [InlineData("Tickets:Enabled", "perhaps", "Tickets:Enabled is 'perhaps'; it must be true or false.")]
    public void Value_that_cannot_be_used_is_refused_with_one_sentence(string setting, string value, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<BadInputException>(() => Read((setting, value))).Message);

    [Theory]
    [InlineData("http://localhost:9901")]
    [InlineData("http://127.0.0.7:9901")]
    [InlineData("http://[::1]:9901")]
    public void Admin_listener_that_only_this_machine_reaches_needs_no_token(string url) => Assert.Equal(url, Read(("Server:Admin", url)).Server.Admin);

    [Fact]
    public void Admin_listener_that_others_reach_is_allowed_with_a_token() =>
        Assert.Equal("/run/secrets/token", Read(("Server:Admin", "http://0.0.0.0:9901"), ("Server:AdminTokenFile", "/run/secrets/token")).Server.AdminTokenFile);

    [Fact]
    public void None_must_stand_alone() => Assert.Equal(
        "Offload:Devices has 'none' among 2 devices; it must stand alone.",
        Assert.Throws<BadInputException>(() => Read(("Offload:Devices:0", "none"), ("Offload:Devices:1", "embedded:"))).Message);

    [Fact]
    public void Device_named_twice_is_refused() => Assert.Equal(
        "Offload:Devices has 'embedded:' more than once; each device must be named once.",
        Assert.Throws<BadInputException>(() => Read(("Offload:Devices:0", "embedded:"), ("Offload:Devices:1", "embedded:"))).Message);

    [Fact]
    public void Every_problem_has_a_line_of_its_own() => Assert.Equal(
        2, Assert.Throws<BadInputException>(() => Read(("Offload:Depth", "3"), ("Tls:Lanes", "0"))).Message.Split('\n').Length);

    [Fact]
    public void Defaults_are_a_device_and_the_local_ports()
    {
        ProxyOptions options = Read();
        Assert.Equal("https://localhost:8443", Assert.Single(options.Listeners).Address.ToString());
        Assert.Equal("http://127.0.0.1:9901", options.Server.Admin);
        Assert.Equal(["embedded:"], options.Offload.Devices);
        Assert.Equal(16, options.Tls.Lanes);
    }

    [Fact]
    public void Listener_names_its_certificates()
    {
        ProxyOptions options = Read(
            ("Listeners:a:Url", "https://127.0.0.1:1"), ("Listeners:a:Certificates:0", "SHOP"), ("Listeners:b:Url", "http://*:2"),
            ("Certificate:File", "one.pem"), ("Certificates:shop:File", "shop.pem"));
        Assert.Equal(["a", "b"], options.Listeners.Select(listener => listener.Name));
        Assert.Equal(["Certificate", "shop"], options.Certificates.Select(certificate => certificate.Key));
    }

    [Fact]
    public void Name_of_the_single_certificate_cannot_be_given_to_another() => Assert.Equal(
        "Certificates:certificate has the name of section Certificate; it must have another.",
        Assert.Throws<BadInputException>(() => Read(("Certificate:File", "one.pem"), ("Certificates:certificate:File", "two.pem"))).Message);

    [Fact]
    public void Certificate_that_a_listener_names_must_be_there() => Assert.Equal(
        "Listeners:a:Certificates has 'shop', which is no certificate; there are Certificate.",
        Assert.Throws<BadInputException>(() => Read(
            ("Listeners:a:Url", "https://127.0.0.1:1"), ("Listeners:a:Certificates:0", "shop"), ("Certificate:File", "one.pem"))).Message);

    [Fact]
    public void Keys_of_tickets_are_listed_or_in_a_directory() => Assert.Equal(
        "Tickets:Directory is '/d' but Tickets:Keys has '/k'; give one of the two.",
        Assert.Throws<BadInputException>(() => Read(("Tickets:Keys:0", "/k"), ("Tickets:Directory", "/d"))).Message);

    [Fact]
    public void Tickets_of_a_listener_replace_the_section_whole()
    {
        ProxyOptions options = Read(
            ("Tickets:Lifetime", "01:00:00"), ("Tickets:Enabled", "false"),
            ("Listeners:a:Url", "https://127.0.0.1:1"), ("Listeners:b:Url", "https://127.0.0.1:2"), ("Listeners:b:Tickets:Directory", "/d"));
        Assert.Equal(options.Tickets, options.Listeners[0].Options.Tickets);
        Assert.Equal((true, "/d", TimeSpan.FromHours(12)), options.Listeners[1].Options.Tickets is { } own ? (own.Enabled, own.Directory, own.Lifetime) : default);
    }

    [Fact]
    public void Listener_without_TLS_has_no_tickets() => Assert.Equal(
        "Listeners:a:Tickets is there but Listeners:a:Url is 'http://127.0.0.1:1'; tickets are for https.",
        Assert.Throws<BadInputException>(() => Read(("Listeners:a:Url", "http://127.0.0.1:1"), ("Listeners:a:Tickets:Enabled", "false"))).Message);

    [Fact]
    public void Two_listeners_cannot_have_one_port() => Assert.Equal(
        "Listeners 'http://127.0.0.1:1' and 'a' have the same address and port; each must have its own.",
        Assert.Throws<BadInputException>(() => Read(("Listeners:a:Url", "https://127.0.0.1:1"), ("Server:Urls", "http://127.0.0.1:1"))).Message);

    [Fact]
    public void Devices_of_the_command_line_replace_all_those_of_the_file()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, """{ "Offload": { "Depth": 64, "Devices": ["emulator:/a", "emulator:/b"] } }""");
            CommandLine line = CommandLine.Parse(["--config", file, "--device", "embedded:"], TextWriter.Null)!;
            ProxyOptions options = ProxyOptions.Read(ConfigurationSources.Load(line.ConfigFile, line.Settings));
            Assert.Equal(["embedded:"], options.Offload.Devices);
            Assert.Equal(64, options.Offload.Depth);
            Assert.Equal(["emulator:/a", "emulator:/b"], ProxyOptions.Read(ConfigurationSources.Load(file, [])).Offload.Devices);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Broken_JSON_is_told_with_its_file_and_line()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "{\n  \"Offload\": {\n    \"Depth\" 16\n} }");
            string message = Assert.Throws<BadInputException>(() => ConfigurationSources.Load(file, [])).Message;
            Assert.StartsWith($"Configuration file '{file}' is not JSON, line 3, byte 13: ", message);
            Assert.DoesNotContain('\n', message);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("--frobnicate", "Unrecognized command or argument '--frobnicate'; 'warpproxy --help' lists the options.")]
    [InlineData("--urls", "Required argument missing for option: '--urls'; 'warpproxy --help' lists the options.")]
    public void Option_that_is_unknown_or_short_of_its_value_is_refused(string argument, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<BadInputException>(() => CommandLine.Parse([argument], TextWriter.Null)).Message);

    [Fact]
    public void Help_names_every_option_and_starts_nothing()
    {
        using var output = new StringWriter();
        Assert.Null(CommandLine.Parse(["--help"], output));
        Assert.All(
            ["--urls", "--admin", "--device", "--path", "--engine", "--certificate", "--key", "--key-password-file", "--config", "--version"],
            (string option) => Assert.Contains(option, output.ToString()));
    }

    private static ProxyOptions Read(params (string Setting, string Value)[] settings) =>
        ProxyOptions.Read(ConfigurationSources.Load(null, settings.Select(setting => KeyValuePair.Create(setting.Setting, (string?)setting.Value))));
}
