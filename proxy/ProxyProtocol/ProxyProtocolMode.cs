namespace WarpProxy.ProxyProtocol;

/// <summary>Whether connections begin with a PROXY protocol header. There is no guessing: a client could write one itself.</summary>
internal enum ProxyProtocolMode
{
    /// <summary>None does.</summary>
    Off,

    /// <summary>Each does, version 1 or 2; one without is closed.</summary>
    Required,
}
