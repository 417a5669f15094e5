namespace WarpProxy.ClientCertificates;

/// <summary>Whether clients are asked for certificates.</summary>
internal enum ClientCertificateMode
{
    /// <summary>They are not.</summary>
    None,

    /// <summary>They are, and need not show one; one that cannot be verified is refused.</summary>
    Optional,

    /// <summary>They are, and are refused without one.</summary>
    Required,
}
