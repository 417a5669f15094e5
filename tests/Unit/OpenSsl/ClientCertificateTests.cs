using System.Security.Cryptography.X509Certificates;
using System.Text;
using WarpDrive.OpenSsl;
using WarpDrive.OpenSsl.Native;
using WarpDrive.OpenSsl.Tls;

namespace WarpProxy.Tests.Unit.OpenSsl;

/// <summary>Which clients get in by their certificates, how others are told, and what is known of those who do.</summary>
[Collection(ProviderTests.Name)]
public sealed class ClientCertificateTests : IDisposable
{
    private readonly OpenSslClient _client = new();
    private readonly TestAuthority _servers = TestAuthority.Root("Server root");
    private readonly TestAuthority _root = TestAuthority.Root("Client root");
    private readonly TestAuthority _issuing;
    private readonly X509Certificate2 _server;
    private readonly TlsServerCertificate _certificate;
    private readonly TlsTicketKeyRing _tickets = new(TlsTicketKeys.CreateRandom());     // shared by all contexts of a test

    public ClientCertificateTests()
    {
        _issuing = _root.Intermediate("Client issuing");
        _server = _servers.Issue("localhost", TestAuthority.ForServers);
        using PrivateKey key = PrivateKeyPem.Load(Encoding.ASCII.GetBytes(_server.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()), []);
        _certificate = new TlsServerCertificate([_server], key);
    }

    public static TheoryData<string> Versions => ["-tls1_2", "-tls1_3"];

    public void Dispose()
    {
        _client.Dispose();
        _tickets.Dispose();
        _certificate.Dispose();
        _server.Dispose();
        _issuing.Dispose();
        _root.Dispose();
        _servers.Dispose();
    }

    [DebianPackageTheory("openssl", OpenSslClient.Path)]
    [InlineData("-tls1_2", false, false)]
    [InlineData("-tls1_2", true, true)]
    [InlineData("-tls1_3", true, false)]
    [InlineData("-tls1_3", false, true)]
    public async Task Verified_chain_is_known_from_the_client_to_the_trusted_certificate(string version, bool isRequired, bool isRsa)
    {
        using X509Certificate2 certificate = _issuing.Issue("client", isRsa: isRsa);
        using TlsServerContext context = Context(new() { Authorities = [_root.Certificate], IsRequired = isRequired });
        OpenSslClient.Result result = await OpenSslClient.ConnectAsync(context, [version, .. _client.Show(certificate, _issuing.Certificate)]);
        Assert.Equal(TlsStatus.Done, result.Status);
        Assert.Equal("CN=client < CN=Client issuing < CN=Client root", result.Names);
        Assert.Equal(certificate.RawData, result.Chain[0].ToArray());
        Assert.True(result.IsErrorQueueEmpty);
    }

    [DebianPackageTheory("openssl", OpenSslClient.Path)]
    [MemberData(nameof(Versions))]
    public async Task Names_of_the_authorities_are_told_once_each(string version)
    {
        using TlsServerContext context = Context(new() { Authorities = [_root.Certificate, _issuing.Certificate, _root.Certificate] });
        string said = (await OpenSslClient.ConnectAsync(context, version)).Said;
        Assert.Contains("Acceptable client certificate CA names\nCN = Client root\nCN = Client issuing\n", said, StringComparison.Ordinal);
        Assert.Equal(1, said.Split("\nCN = Client root\n").Length - 1);
    }

    [DebianPackageTheory("openssl", OpenSslClient.Path)]
    [InlineData("-tls1_2", "handshake failure")]
    [InlineData("-tls1_3", "certificate required")]
    public async Task Client_without_a_certificate_is_refused_where_one_is_required_and_let_in_where_it_is_optional(string version, string alert)
    {
        using TlsServerContext required = Context(new() { Authorities = [_root.Certificate], IsRequired = true });
        OpenSslClient.Result refused = await OpenSslClient.ConnectAsync(required, version);
        AssertRefused(refused, TlsCertificateRefusal.NotGiven, alert);
        Assert.Equal(TlsFailureKind.NoCertificate, refused.Failure.Kind);

        using TlsServerContext optional = Context(new() { Authorities = [_root.Certificate] });
        OpenSslClient.Result accepted = await OpenSslClient.ConnectAsync(optional, version);
        Assert.Equal((TlsStatus.Done, ""), (accepted.Status, accepted.Names));
    }

    [DebianPackageTheory("openssl", OpenSslClient.Path)]
    [MemberData(nameof(Versions))]
    public async Task Certificate_of_another_authority_is_refused_also_where_none_would_do(string version)
    {
        using X509Certificate2 certificate = _servers.Issue("stranger");
        using TlsServerContext context = Context(new() { Authorities = [_root.Certificate] });
        OpenSslClient.Result result = await OpenSslClient.ConnectAsync(context, [version, .. _client.Show(certificate)]);
        AssertRefused(result, TlsCertificateRefusal.UnknownAuthority, "unknown ca");
    }

    [DebianPackageTheory("openssl", OpenSslClient.Path)]
    [MemberData(nameof(Versions))]
    public async Task Times_and_purpose_of_the_certificate_count(string version)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 expired = _root.Issue("expired", to: now.AddMinutes(-1));
        using X509Certificate2 early = _root.Issue("early", from: now.AddHours(1));
        using X509Certificate2 server = _root.Issue("server", TestAuthority.ForServers);
        using X509Certificate2 any = _root.Issue("any", purpose: null);
        using TlsServerContext context = Context(new() { Authorities = [_root.Certificate], IsRequired = true });
        AssertRefused(await ShowAsync(context, version, expired), TlsCertificateRefusal.Expired, "certificate expired");
        AssertRefused(await ShowAsync(context, version, early), TlsCertificateRefusal.NotYetValid, "bad certificate");
        AssertRefused(await ShowAsync(context, version, server), TlsCertificateRefusal.WrongPurpose, "unsupported certificate");
        Assert.Equal("CN=any < CN=Client root", (await ShowAsync(context, version, any)).Names);
    }

    [DebianPackageFact("openssl", OpenSslClient.Path)]
    public async Task Depth_counts_the_certificates_between()
    {
        using X509Certificate2 near = _root.Issue("near");
        using X509Certificate2 far = _issuing.Issue("far");
        using TlsServerContext none = Context(new() { Authorities = [_root.Certificate], Depth = 0 });
        Assert.Equal("CN=near < CN=Client root", (await ShowAsync(none, "-tls1_3", near)).Names);
        AssertRefused(await ShowAsync(none, "-tls1_3", far, _issuing.Certificate), TlsCertificateRefusal.ChainTooLong, "unknown ca");
        using TlsServerContext one = Context(new() { Authorities = [_root.Certificate], Depth = 1 });
        Assert.Equal("CN=far < CN=Client issuing < CN=Client root", (await ShowAsync(one, "-tls1_3", far, _issuing.Certificate)).Names);
    }

    [DebianPackageFact("openssl", OpenSslClient.Path)]
    public async Task Issuing_authority_alone_may_be_trusted_without_the_others_of_its_root()
    {
        using TestAuthority other = _root.Intermediate("Other issuing");
        using X509Certificate2 good = _issuing.Issue("good");
        using X509Certificate2 bad = other.Issue("bad");
        using TlsServerContext context = Context(new() { Authorities = [_issuing.Certificate], RevocationLists = [List(_issuing)] });
        Assert.Equal("CN=good < CN=Client issuing", (await ShowAsync(context, "-tls1_3", good)).Names);
        AssertRefused(await ShowAsync(context, "-tls1_3", bad, other.Certificate), TlsCertificateRefusal.UnknownAuthority, "unknown ca");
    }

    [DebianPackageTheory("openssl", OpenSslClient.Path)]
    [MemberData(nameof(Versions))]
    public async Task Revoked_certificate_is_refused_and_others_of_its_issuer_are_not(string version)
    {
        using X509Certificate2 good = _root.Issue("good");
        using X509Certificate2 revoked = _root.Issue("revoked");
        using TlsServerContext context = Context(new() { Authorities = [_root.Certificate], IsRequired = true, RevocationLists = [List(_root, null, revoked)] });
        AssertRefused(await ShowAsync(context, version, revoked), TlsCertificateRefusal.Revoked, "certificate revoked");
        OpenSslClient.Result result = await ShowAsync(context, version, good);
        Assert.Equal("CN=good < CN=Client root", result.Names);
        Assert.True(result.IsErrorQueueEmpty);
    }

    [DebianPackageFact("openssl", OpenSslClient.Path)]
    public async Task Every_certificate_of_the_chain_needs_a_current_list_of_its_issuer()
    {
        using X509Certificate2 client = _issuing.Issue("client");
        (CertificateRevocationList[] Lists, TlsCertificateRefusal Refusal)[] cases =
        [
            ([List(_root), List(_issuing)], TlsCertificateRefusal.None),
            ([List(_root)], TlsCertificateRefusal.RevocationUnknown),
            ([List(_issuing)], TlsCertificateRefusal.RevocationUnknown),
            ([List(_root, DateTimeOffset.UtcNow.AddMinutes(-1)), List(_issuing)], TlsCertificateRefusal.RevocationUnknown),
            ([List(_root), List(_issuing, DateTimeOffset.UtcNow.AddMinutes(-1))], TlsCertificateRefusal.RevocationUnknown),
            ([List(_root, null, _issuing.Certificate), List(_issuing)], TlsCertificateRefusal.Revoked),
            ([List(_root), List(_issuing, null, client)], TlsCertificateRefusal.Revoked),
        ];
        foreach ((CertificateRevocationList[] lists, TlsCertificateRefusal refusal) in cases)
        {
            using TlsServerContext context = Context(new() { Authorities = [_root.Certificate], RevocationLists = lists });
            OpenSslClient.Result result = await ShowAsync(context, "-tls1_3", client, _issuing.Certificate);
            Assert.Equal((refusal, refusal == TlsCertificateRefusal.None), (result.Failure.CertificateRefusal, result.Status == TlsStatus.Done));
        }
    }

    [Fact]
    public void Revocation_list_that_another_authority_has_signed_in_the_name_of_a_trusted_one_is_refused()
    {
        using TestAuthority impostor = TestAuthority.Root("Client root");
        OpenSslException refusal = Assert.Throws<OpenSslException>(
            () => new TlsClientVerification(new() { Authorities = [_root.Certificate], RevocationLists = [List(impostor)] }));
        Assert.Equal("The revocation list of CN=Client root is not signed by the authority of that name.", refusal.Message);
        Assert.Equal((nuint)0, Libcrypto.ERR_peek_error());
    }

    [Fact]
    public void Authorities_without_a_list_are_named_when_others_have_one()
    {
        using TlsClientVerification none = new(new() { Authorities = [_root.Certificate, _issuing.Certificate] });
        Assert.Empty(none.UncoveredAuthorities);
        using TlsClientVerification one = new(new() { Authorities = [_root.Certificate, _issuing.Certificate], RevocationLists = [List(_root)] });
        Assert.Equal(["CN=Client issuing"], one.UncoveredAuthorities);
    }

    [Fact]
    public void Revocation_list_is_read_or_refused()
    {
        DateTimeOffset end = new(2030, 2, 3, 4, 5, 6, TimeSpan.Zero);
        byte[] der = _root.RevocationList(end);
        CertificateRevocationList list = CertificateRevocationList.Parse(der);
        Assert.Equal(("CN=Client root", end.AddDays(-2), (DateTimeOffset?)end), (list.Issuer, list.ThisUpdate, list.NextUpdate));
        Assert.Throws<OpenSslException>(() => CertificateRevocationList.Parse(der.AsSpan(1)));
        Assert.Throws<OpenSslException>(() => CertificateRevocationList.Parse([]));
        Assert.Equal((nuint)0, Libcrypto.ERR_peek_error());
    }

    [DebianPackageTheory("openssl", OpenSslClient.Path)]
    [MemberData(nameof(Versions))]
    public async Task Resumed_session_has_the_chain_that_its_certificate_was_verified_with_again(string version)
    {
        using X509Certificate2 certificate = _issuing.Issue("client");
        using TlsServerContext context = Context(new() { Authorities = [_root.Certificate, _issuing.Certificate], IsRequired = true });
        string[] shown = _client.Show(certificate);
        string session = _client.File("session");
        Assert.False((await OpenSslClient.ConnectAsync(context, [version, "-sess_out", session, .. shown])).IsResumed);
        OpenSslClient.Result resumed = await OpenSslClient.ConnectAsync(context, [version, "-sess_in", session, .. shown]);
        Assert.True(resumed.IsResumed);
        Assert.Equal("CN=client < CN=Client issuing", resumed.Names);
        Assert.True(resumed.IsErrorQueueEmpty);
    }

    [DebianPackageTheory("openssl", OpenSslClient.Path)]
    [MemberData(nameof(Versions))]
    public async Task Session_whose_certificate_cannot_be_verified_again_is_not_resumed_but_its_client_is_asked_again(string version)
    {
        // What leads from the client to the root is sent by the client, and no ticket remembers it.
        using X509Certificate2 certificate = _issuing.Issue("client");
        using TlsServerContext context = Context(new() { Authorities = [_root.Certificate], IsRequired = true });
        string[] shown = _client.Show(certificate, _issuing.Certificate);
        string session = _client.File("session");
        Assert.Equal(TlsStatus.Done, (await OpenSslClient.ConnectAsync(context, [version, "-sess_out", session, .. shown])).Status);
        OpenSslClient.Result again = await OpenSslClient.ConnectAsync(context, [version, "-sess_in", session, .. shown]);
        Assert.Equal((TlsStatus.Done, false), (again.Status, again.IsResumed));
        Assert.Equal("CN=client < CN=Client issuing < CN=Client root", again.Names);
        Assert.True(again.IsErrorQueueEmpty);

        AssertRefused(
            await OpenSslClient.ConnectAsync(context, version, "-sess_in", session),
            TlsCertificateRefusal.NotGiven,
            version == "-tls1_3" ? "certificate required" : "handshake failure");
    }

    [DebianPackageTheory("openssl", OpenSslClient.Path)]
    [MemberData(nameof(Versions))]
    public async Task Client_that_was_revoked_since_does_not_get_in_by_its_ticket(string version)
    {
        using X509Certificate2 certificate = _root.Issue("client");
        using TlsServerContext before = Context(new() { Authorities = [_root.Certificate], RevocationLists = [List(_root)] });
        using TlsServerContext after = Context(new() { Authorities = [_root.Certificate], RevocationLists = [List(_root, null, certificate)] });
        string[] shown = _client.Show(certificate);
        string session = _client.File("session");
        Assert.Equal(TlsStatus.Done, (await OpenSslClient.ConnectAsync(before, [version, "-sess_out", session, .. shown])).Status);
        Assert.True((await OpenSslClient.ConnectAsync(before, [version, "-sess_in", session, "-sess_out", session, .. shown])).IsResumed);
        AssertRefused(await OpenSslClient.ConnectAsync(after, [version, "-sess_in", session, .. shown]), TlsCertificateRefusal.Revoked, "certificate revoked");

        // Who shows nothing gets in as nobody.
        OpenSslClient.Result nobody = await OpenSslClient.ConnectAsync(after, version, "-sess_in", session);
        Assert.Equal((TlsStatus.Done, false, ""), (nobody.Status, nobody.IsResumed, nobody.Names));
    }

    [DebianPackageTheory("openssl", OpenSslClient.Path)]
    [MemberData(nameof(Versions))]
    public async Task Ticket_is_worth_nothing_where_other_clients_are_trusted(string version)
    {
        using X509Certificate2 certificate = _root.Issue("client");
        using TlsServerContext open = new(new TlsServerOptions { Certificates = [_certificate], TicketKeys = _tickets });
        using TlsServerContext ours = Context(new() { Authorities = [_root.Certificate], IsRequired = true });
        using TlsServerContext others = Context(new() { Authorities = [_servers.Certificate], IsRequired = true });
        string[] shown = _client.Show(certificate);
        string session = _client.File("session");

        // From where nobody is asked.
        await OpenSslClient.ConnectAsync(open, version, "-sess_out", session);
        Assert.True((await OpenSslClient.ConnectAsync(open, version, "-sess_in", session)).IsResumed);
        Assert.Equal(TlsCertificateRefusal.NotGiven, (await OpenSslClient.ConnectAsync(ours, version, "-sess_in", session)).Failure.CertificateRefusal);

        // From where others are trusted; and nobody is verified where nobody is asked.
        await OpenSslClient.ConnectAsync(ours, [version, "-sess_out", session, .. shown]);
        Assert.Equal(
            TlsCertificateRefusal.UnknownAuthority, (await OpenSslClient.ConnectAsync(others, [version, "-sess_in", session, .. shown])).Failure.CertificateRefusal);
        OpenSslClient.Result unasked = await OpenSslClient.ConnectAsync(open, version, "-sess_in", session);
        Assert.Equal((TlsStatus.Done, ""), (unasked.Status, unasked.Names));
    }

    [DebianPackageTheory("openssl", OpenSslClient.Path)]
    [MemberData(nameof(Versions))]
    public async Task Session_without_a_certificate_is_resumed_where_none_is_required(string version)
    {
        using TlsServerContext context = Context(new() { Authorities = [_root.Certificate] });
        string session = _client.File("session");
        await OpenSslClient.ConnectAsync(context, version, "-sess_out", session);
        OpenSslClient.Result resumed = await OpenSslClient.ConnectAsync(context, version, "-sess_in", session);
        Assert.Equal((TlsStatus.Done, true, ""), (resumed.Status, resumed.IsResumed, resumed.Names));
    }

    [DebianPackageFact("openssl", OpenSslClient.Path)]
    public async Task Client_that_is_not_asked_shows_nothing()
    {
        using X509Certificate2 certificate = _root.Issue("client");
        using TlsServerContext context = new(new TlsServerOptions { Certificates = [_certificate] });
        OpenSslClient.Result result = await ShowAsync(context, "-tls1_3", certificate);
        Assert.Equal((TlsStatus.Done, ""), (result.Status, result.Names));
        Assert.Contains("No client certificate CA names sent", result.Said, StringComparison.Ordinal);
    }

    private static void AssertRefused(OpenSslClient.Result result, TlsCertificateRefusal reason, string alert)
    {
        Assert.Equal((TlsStatus.Failed, reason), (result.Status, result.Failure.CertificateRefusal));
        Assert.Contains($"alert {alert}", result.Said, StringComparison.Ordinal);
        Assert.True(result.IsErrorQueueEmpty);
    }

    private static CertificateRevocationList List(TestAuthority authority, DateTimeOffset? end = null, params X509Certificate2[] revoked) =>
        CertificateRevocationList.Parse(authority.RevocationList(end, revoked));

    private Task<OpenSslClient.Result> ShowAsync(TlsServerContext context, string version, X509Certificate2 shown, params X509Certificate2[] intermediates) =>
        OpenSslClient.ConnectAsync(context, [version, .. _client.Show(shown, intermediates)]);

    private TlsServerContext Context(TlsClientVerificationOptions options)
    {
        using TlsClientVerification verification = new(options);
        return new TlsServerContext(new TlsServerOptions { Certificates = [_certificate], ClientVerification = verification, TicketKeys = _tickets });
    }
}
