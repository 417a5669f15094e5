using System.Net;

namespace WarpProxy.ProxyProtocol;

/// <summary>The networks whose PROXY protocol headers are believed. Any thread.</summary>
internal sealed class TrustedNetworks
{
    private readonly IPNetwork[] _networks;

    /// <summary>Takes networks (<c>10.0.0.0/8</c>, <c>2001:db8::/32</c>) and single addresses.</summary>
    /// <exception cref="ArgumentException">One of them is neither; <see cref="FindProblem"/> has the sentence.</exception>
    public TrustedNetworks(IEnumerable<string> networks) =>
        _networks = [.. networks.Select(static text => TryParse(text, out IPNetwork network) ? network : throw new ArgumentException($"'{text}' is no network.", nameof(networks)))];

    /// <summary>What is wrong with one of them, as the second half of a sentence; null when nothing is.</summary>
    public static string? FindProblem(string text)
    {
        if (TryParse(text, out _))
        {
            return null;
        }

        // The likeliest mistake: 10.1.2.3/8, where the address of one host is meant, or all of 10.0.0.0/8.
        string[] parts = text.Split('/');
        return parts.Length == 2 && IPAddress.TryParse(parts[0], out IPAddress? address) && TryCut(address, parts[1], out IPNetwork cut)
            ? $"of a network, the bits behind the prefix must be zero: {cut}."
            : "it must be a network such as 10.0.0.0/8 or 2001:db8::/32, or an address.";
    }

    /// <summary>Whether a sender is believed. An address of IPv4 is the same when a socket of both families has it (::ffff:a.b.c.d).</summary>
    public bool Contains(IPAddress address)
    {
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        foreach (IPNetwork network in _networks)
        {
            if (network.Contains(plain))
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryParse(string text, out IPNetwork network)
    {
        if (text.Contains('/'))
        {
            // .NET clears the bits behind the prefix; who has written them meant something else.
            return IPNetwork.TryParse(text, out network)
                && IPAddress.TryParse(text.AsSpan(0, text.IndexOf('/')), out IPAddress? given)
                && given.Equals(network.BaseAddress);
        }

        // .NET reads 10 and 10.1 as addresses as well, which somebody has meant as networks.
        network = default;
        if (!IPAddress.TryParse(text, out IPAddress? address) || (!text.Contains(':') && address.ToString() != text))
        {
            return false;
        }

        network = new IPNetwork(address, address.GetAddressBytes().Length * 8);
        return true;
    }

    private static bool TryCut(IPAddress address, string prefix, out IPNetwork network)
    {
        network = default;
        byte[] bytes = address.GetAddressBytes();
        if (!int.TryParse(prefix, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int length) || length > bytes.Length * 8)
        {
            return false;
        }

        for (int bit = length; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        network = new IPNetwork(new IPAddress(bytes), length);
        return true;
    }
}
