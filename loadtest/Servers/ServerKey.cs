using System.Globalization;

namespace WarpProxy.LoadTest.Servers;

/// <summary>The kind of a server's private key.</summary>
/// <param name="IsRsa">Else ECDSA with P-256.</param>
/// <param name="Bits">Of the modulus, or of the curve.</param>
internal readonly record struct ServerKey(bool IsRsa, int Bits)
{
    private const string EcdsaName = "P-256";

    public static ServerKey Ecdsa { get; } = new(false, 256);

    /// <summary>What <see cref="Parse"/> takes.</summary>
    public static IReadOnlyList<string> Known { get; } = ["2048", "3072", "4096", EcdsaName];

    public static ServerKey Rsa(int bits) => new(true, bits);

    /// <summary>Bits of an RSA key, or P-256.</summary>
    public static ServerKey Parse(string text) => text == EcdsaName ? Ecdsa : Rsa(int.Parse(text, CultureInfo.InvariantCulture));

    /// <summary><c>RSA-2048</c>, <c>ECDSA P-256</c>.</summary>
    public override string ToString() => IsRsa ? $"RSA-{Bits}" : $"ECDSA {EcdsaName}";
}
