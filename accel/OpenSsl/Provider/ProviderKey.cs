namespace WarpDrive.OpenSsl.Provider;

/// <summary>One key of the provider. Without <see cref="Private"/> it is the public key of a certificate that OpenSSL compares with.</summary>
internal sealed class ProviderKey
{
    /// <summary>Big-endian without leading zeros; null until imported.</summary>
    public byte[]? Modulus { get; set; }

    /// <summary>Big-endian without leading zeros; null until imported.</summary>
    public byte[]? Exponent { get; set; }

    /// <summary>Computes with the private key; held until this key is freed.</summary>
    public OffloadedRsaKey? Private { get; set; }

    public bool HasPublic => Modulus is not null && Exponent is not null;

    public int ModulusBits => Modulus is null ? 0 : 8 * Modulus.Length - int.LeadingZeroCount(Modulus[0]) + 24;

    public bool HasSamePublic(ProviderKey other) =>
        HasPublic && other.HasPublic && Modulus.AsSpan().SequenceEqual(other.Modulus) && Exponent.AsSpan().SequenceEqual(other.Exponent);
}
