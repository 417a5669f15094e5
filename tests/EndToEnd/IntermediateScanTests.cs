using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;

namespace WarpProxy.Tests.EndToEnd;

/// <summary>What testssl.sh says of the default profile.</summary>
public sealed class IntermediateScanTests(EveryProfile profiles, ITestOutputHelper output) : IClassFixture<EveryProfile>, IDisposable
{
    // Where testssl.sh 3.0 says WARN, it could not tell: Debian's openssl has no engine for GOST, and its s_client, given no input, leaves before the tickets
    // of TLS 1.3 have come that it is to resume with.
    private static readonly string[] Unknowable = ["engine_problem", "sessionresumption_ticket"];

    private static readonly string[] Vulnerabilities =
    [
        "heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_renego", "secure_client_renego", "CRIME_TLS", "POODLE_SSL", "fallback_SCSV", "SWEET32", "FREAK",
        "DROWN", "LOGJAM", "BEAST", "LUCKY13", "RC4",
    ];

    public void Dispose() => output.WriteLine(profiles.Transcript());

    [DebianPackageFact("testssl.sh", TestSsl.Path)]
    public async Task Testssl_finds_nothing_above_low()
    {
        // All but the list of each cipher that sslscan makes too, and the simulation of clients.
        IReadOnlyList<TestSslFinding> findings = await TestSsl.ScanAsync(
            profiles.Proxy(EveryProfile.Device, EveryProfile.Intermediate), profiles.TrustedFile, profiles.File("intermediate.json"), "-p", "-s", "-f", "-P", "-S", "-h", "-U");
        foreach (TestSslFinding finding in findings)
        {
            output.WriteLine(finding.ToString());
        }

        Assert.DoesNotContain(
            findings, static finding => finding.Severity is not ("OK" or "INFO" or "LOW") && !(finding.Severity == "WARN" && Unknowable.Contains(finding.Id)));
        Assert.Equal(Vulnerabilities, Vulnerabilities.Where(name => findings.Any(finding => finding.Id == name && finding.Severity is "OK" or "INFO")));
        Assert.Contains(findings, static finding => finding.Id == "ROBOT" && finding.Finding.Contains("no RSA key transport", StringComparison.Ordinal));
        Assert.Contains(findings, static finding => finding.Id == "cert_chain_of_trust <cert#2>" && finding.Severity == "OK");
    }
}
