using System.Globalization;
using System.Security.Cryptography;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>Ten thousand certificates. What it takes is printed; see docs/certificates.md.</summary>
[Collection(Alone.Name)]
public sealed class ManyCertificatesTests(ITestOutputHelper output)
{
    private const int Count = 10_000;
    private const int MaxBytesEach = 16 * 1024;
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5);      // seconds, unless the machine is busy

    /// <summary>ECDSA keys are all different. RSA keys take long to make: one is in all files, and loaded each time as if it were another.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ten_thousand_certificates_are_loaded_and_served(bool isRsa)
    {
        await using var scenario = new Scenario(output);
        long empty;
        using var issuer = new TestIssuer();
        string one = WriteAll(scenario, issuer, "one", 1, isRsa);
        await using (ProxyProcess proxy = await StartAsync(scenario, one))
        {
            empty = ResidentBytes(proxy);
        }

        string many = WriteAll(scenario, issuer, "many", Count, isRsa);
        await using ProxyProcess full = await StartAsync(scenario, many);
        long each = (ResidentBytes(full) - empty) / Count;
        string loaded = full.Process.Output.Single(static line => line.Contains("Certificates loaded: ", StringComparison.Ordinal));
        output.WriteLine($"{(isRsa ? "RSA-2048" : "ECDSA P-256")}: {loaded.Trim()}; {ResidentBytes(full) / 1048576} MB, {each} bytes for each certificate");
        Assert.Contains($"Certificates loaded: {Count}, in ", loaded, StringComparison.Ordinal);
        Assert.InRange(each, 1, MaxBytesEach);
        CertificateStatus status = (await full.StatusAsync()).Certificates;
        Assert.Equal((Count, 0, isRsa ? Count : 0), (status.Count, status.Refused, status.DeviceKeys));
        foreach (int i in new[] { 0, 1234, Count - 1 })
        {
            await new TlsClient(full.Url, issuer.Root, $"n{i}.example").GetAsync();
        }
    }

    private static Task<ProxyProcess> StartAsync(Scenario scenario, string directory)
    {
        string config = scenario.Write("config.json", $$"""{ "Certificates": { "many": { "Directory": "{{directory}}" } } }""");
        return ProxyProcess.StartAsync(scenario, ["--config", config], ProxyProcess.LongDeadline, StartLimit);
    }

    private static string WriteAll(Scenario scenario, TestIssuer issuer, string name, int count, bool isRsa)
    {
        Directory.CreateDirectory(scenario.File(name));
        using RSA rsa = RSA.Create(2048);
        Parallel.For(0, count, i =>
        {
            (string certificate, string key, _) = isRsa ? issuer.Issue(rsa, $"n{i}.example", $"www.n{i}.example") : issuer.Issue(isRsa: false, $"n{i}.example", $"www.n{i}.example");
            scenario.Write($"{name}/n{i}.pem", certificate + key);
        });
        return scenario.File(name);
    }

    private static long ResidentBytes(ProxyProcess proxy)
    {
        string line = File.ReadLines($"/proc/{proxy.Process.Id}/status").Single(static line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
