using WarpDrive.OpenSsl.Tls;
using WarpProxy.Tests.Unit.OpenSsl;

namespace WarpProxy.Tests.Unit.Tickets;

/// <summary>Server contexts with one certificate, whose private-key operations are counted.</summary>
internal sealed class TicketSite : IDisposable
{
    private readonly Attached _attached = new(2048);
    private readonly TlsServerCertificate _certificate;
    private readonly List<TlsServerContext> _contexts = [];

    public TicketSite()
    {
        _certificate = new TlsServerCertificate([_attached.Certificate], _attached.Key);
    }

    /// <summary>Private-key operations so far.</summary>
    public long Operations => _attached.Counters.Snapshot().Software;

    public TlsServerContext Context(TlsTicketKeyRing? keys, string sessions = "shop", string? groups = null, TimeSpan? lifetime = null)
    {
        var context = new TlsServerContext(new TlsServerOptions
        {
            Certificates = [_certificate],
            Groups = groups,
            TicketKeys = keys,
            TicketLifetime = lifetime ?? TimeSpan.FromHours(1),
            SessionContext = sessions,
        });
        _contexts.Add(context);
        return context;
    }

    /// <summary>Keys of known bytes: that of number n has the name nnnn... .</summary>
    public static TlsTicketKeys Keys(int encrypting, params int[] numbers) =>
        new([.. numbers.SelectMany(static number => Enumerable.Repeat((byte)number, TlsTicketKeys.KeyBytes))], encrypting);

    /// <summary>The name of key n.</summary>
    public static string Name(int number) => string.Concat(Enumerable.Repeat(number.ToString("x2", null), TlsTicketKeys.NameBytes));

    public void Dispose()
    {
        _contexts.ForEach(static context => context.Dispose());
        _certificate.Dispose();
        _attached.Dispose();
    }
}
