namespace WarpProxy.Listeners;

/// <summary>What a client gets that asks for a name (SNI) of which there is no certificate, or for none.</summary>
internal enum UnknownNames
{
    /// <summary>The first of the listener's certificates.</summary>
    Default,

    /// <summary>The alert unrecognized_name (RFC 6066 3).</summary>
    Refuse,
}
