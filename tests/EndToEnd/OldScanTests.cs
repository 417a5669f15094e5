using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>What testssl.sh says of the profile that has everything which those attacks are about.</summary>
public sealed class OldScanTests(EveryProfile profiles, ITestOutputHelper output) : IClassFixture<EveryProfile>, IDisposable
{
    public void Dispose() => output.WriteLine(profiles.Transcript());

    [DebianPackageTheory("testssl.sh", TestSsl.Path)]
    [InlineData(EveryProfile.Device, "heartbleed CCS ticketbleed ROBOT", "-H", "-I", "-T", "-BB")]
    [InlineData(EveryProfile.Software, "ROBOT", "-BB")]
    public async Task Testssl_finds_it_not_vulnerable(string path, string names, params string[] checks)
    {
        ProxyProcess proxy = profiles.Proxy(path, EveryProfile.Old);
        OperationStatus before = (await proxy.StatusAsync()).Operations;
        IReadOnlyList<TestSslFinding> findings = await TestSsl.ScanAsync(proxy, profiles.TrustedFile, profiles.File($"old-{path}.json"), checks);
        Assert.Equal(
            names.Split(' ').Select(static name => new TestSslFinding(name, "OK", "not vulnerable")),
            findings.Where(finding => names.Split(' ').Contains(finding.Id)).Select(static finding => finding with { Finding = finding.Finding.Split(',')[0] }));

        // ROBOT sends five kinds of premasters, with and without what comes after; each is decrypted.
        OperationStatus after = (await proxy.StatusAsync()).Operations;
        Assert.True((path == EveryProfile.Device ? after.Device - before.Device : after.Software - before.Software) >= 10, after.Since(before));
    }
}
