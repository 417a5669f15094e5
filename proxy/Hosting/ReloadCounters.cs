using WarpProxy.Admin;

namespace WarpProxy.Hosting;

/// <summary>What became of changed configurations, for <c>/status</c>. Any thread.</summary>
internal sealed class ReloadCounters
{
    private readonly Lock _gate = new();
    private ConfigurationStatus _status = new(null, 0, 0, null, null, []);      // under _gate
    private string? _told;                                                      // the refusal in force; null when there is none

    /// <summary>The file; null when there is none.</summary>
    public string? File
    {
        set
        {
            lock (_gate)
            {
                _status = _status with { File = value };
            }
        }
    }

    /// <summary>As it is now.</summary>
    public ConfigurationStatus Read()
    {
        lock (_gate)
        {
            return _status with { IsFileRefused = _told is not null };
        }
    }

    /// <summary>One was taken into use.</summary>
    public void Taken(DateTimeOffset now, IReadOnlyList<string> waiting)
    {
        lock (_gate)
        {
            _told = null;
            _status = _status with { Reloads = _status.Reloads + 1, LastReload = now, WaitingForRestart = waiting };
        }
    }

    /// <summary>The file is again what is in force.</summary>
    public void Unchanged()
    {
        lock (_gate)
        {
            _told = null;
        }
    }

    /// <summary>One was refused. False when it is the same that was refused before, for the same reasons, and does not count again.</summary>
    public bool Refused(IReadOnlyList<string> problems, DateTimeOffset now)
    {
        lock (_gate)
        {
            string all = string.Join('\n', problems);
            if (_told == all)
            {
                return false;
            }

            _told = all;
            _status = _status with { Refused = _status.Refused + 1, LastRefusal = new ConfigurationRefusal(now, problems) };
            return true;
        }
    }
}
