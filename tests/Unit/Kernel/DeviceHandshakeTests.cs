using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using WarpDrive.Abi.Uacce;
using WarpDrive.Emulator;
using WarpDrive.Emulator.VfioUser;
using WarpDrive.Engines;
using WarpProxy.Configuration;
using WarpProxy.Hosting;
using WarpProxy.Offload;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>Whole handshakes, of real clients, over every kind of device; where a kernel would stand between, the fake one does.</summary>
public sealed class DeviceHandshakeTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const string FirstForm = "2ad9f208-7da3-11e8-8709-57742f618a28";
    private const string Datasheet = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

    private readonly PemFolder _folder = new();
    private readonly FakeKernel _kernel = new();
    private readonly Dictionary<string, FakeUacceDevice> _hardware = [];
    private readonly EmulatedAccelerator _accelerator = new(new EmulatorOptions { SelfTest = false }, static () => new ScalarEngine(), NullLogger.Instance);
    private readonly VfioUserServer _emulator;
    private FakeDevice? _mediated;

    public DeviceHandshakeTests() =>
        _emulator = VfioUserServer.Listen(_accelerator, new EmulatorOptions(), Path.Combine(_folder.Root, "device.sock"), NullLogger.Instance);

    /// <summary>Each kind of device; of hardware also each version and each way to share memory.</summary>
    public static TheoryData<string> Devices => ["embedded:", "emulator:{folder}/device.sock", "uacce:auto", "uacce:v1", "uacce:v3", "uacce:slices", "uacce:iommu", $"mdev:{FirstForm}", $"mdev:{Datasheet}"];

    private static FakeUacceOptions HardwareOf(string name) => name switch
    {
        "v1" => new() { Api = "hisi_qm_v1", PutQueueReleases = true, KnowsQueueInfo = false, CanIsolate = false },
        "v3" => new() { Api = "hisi_qm_v3" },
        "slices" => new() { Flags = UacceFlags.NoIommu, HasStaticShare = true },
        "iommu" => new() { Flags = UacceFlags.Iommu, HasStaticShare = true },
        "full" => new() { Instances = 0 },
        _ => new(),
    };

    public void Dispose()
    {
        foreach (FakeUacceDevice device in _hardware.Values)
        {
            device.Dispose();
        }

        _mediated?.Dispose();
        _emulator.Dispose();
        _accelerator.Dispose();
        Assert.Equal((0, 0), (_kernel.OpenCount, _kernel.MappingCount));
        _kernel.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public async Task Handshakes_of_both_versions_are_signed_by_the_device_and_nothing_leaks(string device)
    {
        await using ProxyServer server = await StartAsync(device);
        Assert.Equal("ready", server.ReadStatus().Devices.Single().State);
        foreach (SslProtocols version in (SslProtocols[])[SslProtocols.Tls12, SslProtocols.Tls13])
        {
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => GetAsync(server, version)));
        }

        OperationSnapshot operations = server.ReadStatus().Operations;
        Assert.Equal((8, 0), (operations.Device, operations.Software));
        await Task.Run(() => SpinWait.SpinUntil(() => server.ReadStatus().Leaks is { SlotsInUse: 0, OperationsInFlight: 0, LanesBusy: 0 }, Patience));
        Assert.Equal(new WarpProxy.Admin.LeakStatus(0, 0, 0), server.ReadStatus().Leaks);
    }

    [Theory]
    [InlineData("isolated")]
    [InlineData("reset")]
    [InlineData("removed")]
    public async Task Device_that_ends_during_load_is_noticed_by_no_client(string end)
    {
        await using ProxyServer server = await StartAsync("uacce:hisi_hpre-0");
        FakeUacceDevice device = _hardware["hisi_hpre-0"];
        bool isOver = false;
        Task[] clients = [.. Enumerable.Range(0, 4).Select(client => Task.Run(async () =>
        {
            do
            {
                await GetAsync(server, client % 2 == 0 ? SslProtocols.Tls12 : SslProtocols.Tls13);
            }
            while (!Volatile.Read(ref isOver));
        }))];
        await WaitForAsync(() => server.ReadStatus().Operations.Device > 4);
        switch (end)
        {
            case "isolated":
                device.SetIsolated(true);
                break;
            case "reset":
                device.Reset();
                break;
            default:
                device.Remove();
                break;
        }

        // A reset device is used again; of another all queues are given back, and software computes.
        await WaitForAsync(() => end == "reset" ? Openings("open hisi_hpre-0") > 16 : device.QueueCount == 0);
        long software = server.ReadStatus().Operations.Software;
        await WaitForAsync(() => end == "reset" || server.ReadStatus().Operations.Software > software);
        Volatile.Write(ref isOver, true);
        await Task.WhenAll(clients).WaitAsync(Patience);
        Assert.Equal(0, server.ReadStatus().Operations.Failed.Values.Sum());
    }

    [Fact]
    public async Task Where_no_queue_is_left_software_computes_and_no_client_notices()
    {
        await using ProxyServer server = await StartAsync("uacce:full");
        await GetAsync(server, SslProtocols.Tls13);
        Assert.Equal((0, 1), (server.ReadStatus().Operations.Device, server.ReadStatus().Operations.Software));
        Assert.Equal("absent", server.ReadStatus().Devices.Single().State);
        Assert.Contains("open full errno 16", _kernel.Calls);
    }

    private int Openings(string call) => _kernel.Calls.Count(one => one == call);

    private void AddMediated(string uuid)
    {
        const string Parent = "0000:75:00.0";
        bool isFirstForm = uuid == FirstForm;
        string type = isFirstForm ? "hisi_hpre-rsa" : "warpdrive-rsa";
        var tree = new FakeMdevTree(_kernel);
        tree.AddType(Parent, type, isFirstForm ? "hisi_qm_v1" : "vfio-platform");
        tree.AddSpimdev(Parent);
        tree.AddDevice(Parent, type, uuid, "7");
        var vfio = new FakeVfio(_kernel);
        _mediated = isFirstForm ? new FakeSpimdev(1, saysNumbers: true) : new FakeDatasheetDevice(vfio);
        vfio.Add(new FakeGroup(_kernel, "7", uuid, _mediated));
    }

    private static Task WaitForAsync(Func<bool> condition) => Task.Run(() => Assert.True(SpinWait.SpinUntil(condition, Patience)));

    private Task<ProxyServer> StartAsync(string device)
    {
        if (device.StartsWith("uacce:", StringComparison.Ordinal))
        {
            string name = device == "uacce:auto" ? "hisi_hpre-0" : device["uacce:".Length..];
            _hardware[name] = new FakeUacceDevice(_kernel, name, HardwareOf(name));
        }

        if (device.StartsWith("mdev:", StringComparison.Ordinal))
        {
            AddMediated(device["mdev:".Length..]);
        }

        using RSA key = RSA.Create(2048);
        using X509Certificate2 certificate = PemFolder.Sign(key);
        string file = _folder.Write("site.pem", certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());

        // A long deadline: the machine that runs this may be busy.
        IConfigurationRoot configuration = ConfigurationSources.Load(null, new Dictionary<string, string?>
        {
            ["Server:Urls"] = "https://127.0.0.1:0",
            ["Server:Admin"] = "http://127.0.0.1:0",
            ["Certificate:File"] = file,
            ["Offload:Path"] = "device",
            ["Offload:Deadline"] = "00:00:10",
            ["Offload:Devices:0"] = device.Replace("{folder}", _folder.Root, StringComparison.Ordinal),

            // One of the datasheet is one queue, and no operation must find it busy.
            ["Tls:Lanes"] = device.EndsWith(Datasheet, StringComparison.Ordinal) ? "1" : "16",
            ["Offload:DevDirectory"] = _kernel.Tree.DevDirectory,
            ["Offload:SysDirectory"] = _kernel.Tree.SysDirectory,
            ["Logging:LogLevel:Default"] = "None",
        });
        return ProxyServer.StartAsync(configuration, ProxyOptions.Read(configuration), TimeProvider.System, deviceCalls: _kernel);
    }

    private static async Task GetAsync(ProxyServer server, SslProtocols version)
    {
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.EnabledSslProtocols = version;
        handler.SslOptions.RemoteCertificateValidationCallback =
            static (_, certificate, _, errors) => certificate?.Subject == "CN=localhost" && (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == 0;
        using var client = new HttpClient(handler) { BaseAddress = new Uri(server.Urls.Single()), Timeout = Patience };
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/", UriKind.Relative))).StatusCode);
    }
}
