using System.Globalization;
using WarpProxy.Admission;
using WarpProxy.Configuration;

namespace WarpProxy.Doctor;

/// <summary>How many connections the limit of open files leaves room for.</summary>
internal sealed class OpenFilesCheck(ProxyOptions options) : ICheck
{
    // Fewer are soon taken where every client keeps some open.
    private const int FewConnections = 2000;

    /// <inheritdoc/>
    public string Name => "nofile";

    /// <inheritdoc/>
    public TimeSpan Limit => TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public IEnumerable<Finding> Run()
    {
        // The runtime has raised the soft limit to the hard one.
        long limit = OpenFiles.ReadLimit();
        int room = new ConnectionAdmission(new LimitOptions(), options.Tls.MaxHandshakes, TimeProvider.System, limit).Open.Limit;
        int connections = options.Limits.MaxConnections ?? room;
        string seen = string.Create(CultureInfo.InvariantCulture, $"{limit} files and sockets may be open, which leaves room for {room} connections of clients");
        string advice = "Raise it: ulimit -n 65536; systemd: LimitNOFILE=65536; docker: --ulimit nofile=65536";
        Finding finding = connections > room
            ? Finding.Warning(Name, null, string.Create(CultureInfo.InvariantCulture, $"{seen}, but Limits:MaxConnections is {connections}"), advice)
            : room < FewConnections ? Finding.Warning(Name, null, seen, advice)
            : Finding.Ok(Name, null, seen);
        yield return finding with { Values = new Dictionary<string, object?> { ["limit"] = limit, ["connections"] = connections } };
    }
}
