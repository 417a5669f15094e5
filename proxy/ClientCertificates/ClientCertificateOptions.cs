using System.ComponentModel.DataAnnotations;

namespace WarpProxy.ClientCertificates;

/// <summary>Section <c>ClientCertificates</c>: which certificates of clients are accepted, and how upstreams learn of them.</summary>
internal sealed record ClientCertificateOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "ClientCertificates";

    /// <summary>The largest <see cref="Depth"/>.</summary>
    public const int MaxDepth = 16;

    private const int MaxHeaderLength = 64;
    private const int MaxHeaderHyphens = 6;
    private const string TokenSymbols = "!#$%&'*+-.^`|~";     // RFC 9110 5.6.2, without the underscore

    // The proxy needs them as clients send them; what is named here would be taken from every request.
    private static readonly string[] NeededHeaders = ["Authorization", "Connection", "Content-Length", "Content-Type", "Cookie", "Expect", "Host", "TE", "Transfer-Encoding", "Upgrade"];

    /// <summary>Whether clients are asked; left out, they are not.</summary>
    public ClientCertificateMode? Mode { get; init; }

    /// <summary>PEM file with the certificates that are trusted; a client's chain may end at any of them.</summary>
    public string? CaFile { get; init; }

    /// <summary>The most certificates between the client's and one in <see cref="CaFile"/>.</summary>
    public int Depth { get; init; } = 1;

    /// <summary>Revocation lists, in PEM or one in DER: one of each authority of a chain, none of them expired.</summary>
    public string? CrlFile { get; init; }

    /// <summary>The header that brings the verified certificate to the upstream (RFC 9440).</summary>
    public string Header { get; init; } = "Client-Cert";

    /// <summary>The header that brings those by which it was verified, without a root at the end.</summary>
    public string ChainHeader { get; init; } = "Client-Cert-Chain";

    /// <summary>Whether <see cref="ChainHeader"/> is sent.</summary>
    public bool SendChain { get; init; } = true;

    /// <summary>Whether clients are asked.</summary>
    internal bool IsOn => Mode is ClientCertificateMode.Optional or ClientCertificateMode.Required;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        string path = validationContext.DisplayName;
        foreach ((string name, string? value) in new[] { (nameof(CaFile), CaFile), (nameof(CrlFile), CrlFile) })
        {
            if (value is "")
            {
                yield return new($"{path}:{name} is ''; it must be the path of a file, or be left out.", [name]);
            }
        }

        if (IsOn && CaFile is null)
        {
            yield return new($"{path}:CaFile is not set but {path}:Mode is {Mode.ToString()!.ToLowerInvariant()}; it must be the path of a PEM file.", [nameof(CaFile)]);
        }

        // Who writes files here and forgets the mode would let everybody in.
        if (Mode is null && (CaFile ?? CrlFile) is { Length: > 0 } file)
        {
            yield return new($"{path}:Mode is not set but a file is, '{file}'; it must be none, optional or required.", [nameof(Mode)]);
        }

        if (Depth is < 0 or > MaxDepth)
        {
            yield return new($"{path}:Depth is {Depth}; it must be between 0 and {MaxDepth}.", [nameof(Depth)]);
        }

        foreach ((string name, string value) in new[] { (nameof(Header), Header), (nameof(ChainHeader), ChainHeader) })
        {
            if (!IsHeaderName(value))
            {
                yield return new(
                    $"{path}:{name} is '{value}'; it must be the name of a header, of at most {MaxHeaderLength} characters with at most {MaxHeaderHyphens} hyphens and no underscore.", [name]);
            }
            else if (NeededHeaders.Contains(value, StringComparer.OrdinalIgnoreCase))
            {
                yield return new($"{path}:{name} is '{value}', which the proxy would then take from every request; it must be a header of its own.", [name]);
            }
        }

        if (Header.Equals(ChainHeader, StringComparison.OrdinalIgnoreCase))
        {
            yield return new($"{path}:ChainHeader is '{ChainHeader}', as {path}:Header is; they must be different.", [nameof(ChainHeader)]);
        }
    }

    private static bool IsHeaderName(string name) => name.Length is > 0 and <= MaxHeaderLength
        && name.All(static c => char.IsAsciiLetterOrDigit(c) || TokenSymbols.Contains(c))
        && name.Count(static c => c == '-') <= MaxHeaderHyphens;
}
