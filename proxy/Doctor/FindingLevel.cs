namespace WarpProxy.Doctor;

/// <summary>How good or bad a finding is.</summary>
internal enum FindingLevel
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>The proxy serves, but not as well as it could.</summary>
    Warning,

    /// <summary>The proxy does not start, does not serve clients, or does not use what it was told to.</summary>
    Failed,
}
