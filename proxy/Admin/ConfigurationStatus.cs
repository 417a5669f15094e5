namespace WarpProxy.Admin;

/// <summary>Changes of the configuration since the start.</summary>
/// <param name="File">Where it is read from; null when there is no file.</param>
/// <param name="Reloads">Those that were taken into use.</param>
/// <param name="Refused">Those that were refused.</param>
/// <param name="LastReload">When the last one was taken into use.</param>
/// <param name="LastRefusal">Why the last one was refused, and when.</param>
/// <param name="WaitingForRestart">Settings of the configuration in force that are not in force themselves before a restart.</param>
internal sealed record ConfigurationStatus(
    string? File, long Reloads, long Refused, DateTimeOffset? LastReload, ConfigurationRefusal? LastRefusal, IReadOnlyList<string> WaitingForRestart)
{
    /// <summary>Whether what the file has now is refused, so that a restart would end with exit code 2.</summary>
    public bool IsFileRefused { get; init; }

    /// <summary>Sets of files that are watched now.</summary>
    public int Watches { get; init; }
}

/// <summary>A refused configuration.</summary>
/// <param name="Time">When.</param>
/// <param name="Problems">A sentence each, as <c>warpproxy check</c> has them.</param>
internal sealed record ConfigurationRefusal(DateTimeOffset Time, IReadOnlyList<string> Problems);
