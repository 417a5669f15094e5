namespace WarpDrive.Abi.Hpre;

/// <summary>The algorithms of HPRE that concern RSA (SQE bits 4:0).</summary>
public enum HpreAlgorithm : uint
{
    /// <summary>Plain modular exponentiation: key block exponent, modulus.</summary>
    RsaPlain = 0,

    /// <summary>RSA with the Chinese remainder theorem: key block dq, dp, q, p, qinv.</summary>
    RsaCrt = 1,

    /// <summary>A private key of two primes (KG_STD): key block e, p, q; no input; output d, n.</summary>
    KeyGeneration = 2,

    /// <summary>The same with the numbers of CRT (KG_CRT): output d, n, qinv, dq, dp.</summary>
    KeyGenerationCrt = 3,
}

/// <summary>
/// Why the device refused or failed an operation (SQE etype, 11 bits; 0: no error). The values are the emulated
/// device's own: HiSilicon publishes none, and software only tests for non-zero.
/// </summary>
public enum HpreError : uint
{
    /// <summary>No error.</summary>
    None = 0,

    /// <summary>An algorithm or key size that the device does not offer, or an entry whose done bits are not 1.</summary>
    Unsupported = 1,

    /// <summary>An address or length that the client has not mapped for this access.</summary>
    Address = 2,

    /// <summary>
    /// The key block cannot be a key: a zero or even modulus or prime, a modulus shorter than the entry says, or an exponent or prime
    /// without the inverse that key generation looks for.
    /// </summary>
    Key = 3,

    /// <summary>The input is not less than the modulus.</summary>
    Input = 4,

    /// <summary>The engine failed.</summary>
    Engine = 5,

    /// <summary>No etype: hardware set a bit of the second error field (etype1).</summary>
    Second = 0x800,
}

/// <summary>Bits of the first word of a submission entry: alg 4:0, etype 15:5, etype1 29:16, done 31:30.</summary>
public static class SubmissionControl
{
    private const uint Initial = 1;
    private const uint Done = 3;

    /// <summary>The word that a host posts.</summary>
    public static uint Post(HpreAlgorithm algorithm) => (uint)algorithm | (Initial << 30);

    /// <summary>The word that the device writes back.</summary>
    public static uint Complete(uint posted, HpreError error) => (posted & 0x1f) | ((uint)error << 5) | (Done << 30);

    /// <summary>The algorithm's number, 0 to 31; not every one has a name here.</summary>
    public static HpreAlgorithm Algorithm(uint control) => (HpreAlgorithm)(control & 0x1f);

    /// <summary>The error bits, or <see cref="HpreError.Second"/> when any bit of etype1 is set.</summary>
    public static HpreError Error(uint control) =>
        (control & 0x3fff0000) != 0 ? HpreError.Second : (HpreError)((control >> 5) & 0x7ff);

    /// <summary>Whether the device says that it is done (value 3).</summary>
    public static bool IsDone(uint control) => control >> 30 == Done;

    /// <summary>Whether a host posted it (value 1).</summary>
    public static bool IsPosted(uint control) => control >> 30 == Initial;
}
