using WarpProxy.Configuration;
using WarpProxy.Files;

namespace WarpProxy.ClientCertificates;

/// <summary>Which clients are trusted, for each section that says so: listeners with equal sections share it, and it goes with the last of them. Any thread.</summary>
internal sealed class ClientTrustStore(FileWatch files, TimeProvider time, ILogger<ClientTrust> logger) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ClientCertificateOptions, (ClientTrust Trust, int Users)> _known = [];     // under _gate

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _known.Count;
            }
        }
    }

    /// <summary>Who is trusted where this section is in force, until <see cref="Release"/>; null where clients are not asked.</summary>
    /// <exception cref="BadInputException">Its files cannot be used.</exception>
    public ClientTrust? Acquire(ClientCertificateOptions? options)
    {
        if (options is not { IsOn: true })
        {
            return null;
        }

        lock (_gate)
        {
            if (_known.TryGetValue(options, out (ClientTrust Trust, int Users) known))
            {
                _known[options] = known with { Users = known.Users + 1 };
                return known.Trust;
            }
        }

        // Not under the gate: it takes that of the files. Configurations are made one after the other, so nobody else makes the same.
        var trust = new ClientTrust(options, files, time, logger);
        lock (_gate)
        {
            _known.Add(options, (trust, 1));
        }

        return trust;
    }

    /// <summary>Once for each <see cref="Acquire"/>.</summary>
    public void Release(ClientTrust? trust)
    {
        lock (_gate)
        {
            if (trust is null || _known.FirstOrDefault(one => one.Value.Trust == trust) is not { Key: { } options, Value: var known })
            {
                return;
            }

            if (known.Users > 1)
            {
                _known[options] = known with { Users = known.Users - 1 };
                return;
            }

            _known.Remove(options);
        }

        trust.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        List<ClientTrust> all;
        lock (_gate)
        {
            // A listener that goes at this moment finds nothing to release.
            all = [.. _known.Values.Select(static one => one.Trust)];
            _known.Clear();
        }

        all.ForEach(static trust => trust.Dispose());
    }
}
