using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace WarpProxy.Admission;

/// <summary>
/// How many connections each address has. Of IPv6 the first 64 bits count: that is what one client is given, to take as many addresses out of
/// as it likes. It holds no more entries than there are connections. Any thread.
/// </summary>
internal sealed class AddressCounts(int limit)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<UInt128, int> _counts = [];
    private volatile int _limit = limit;

    /// <summary>The most connections of one address. A lower one than before sends nobody away.</summary>
    public int Limit
    {
        get => _limit;
        set => _limit = value;
    }

    /// <summary>How many addresses have a connection.</summary>
    public int AddressCount
    {
        get
        {
            lock (_gate)
            {
                return _counts.Count;
            }
        }
    }

    /// <summary>What is counted together.</summary>
    public static UInt128 KeyOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        (address.AddressFamily == AddressFamily.InterNetwork ? address.MapToIPv6() : address).TryWriteBytes(bytes, out _);
        bool isV4 = address.AddressFamily == AddressFamily.InterNetwork || address.IsIPv4MappedToIPv6;
        UInt128 key = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        return isV4 ? key : key >> 64 << 64;
    }

    /// <summary>Counts a connection; false when the address has as many as it may.</summary>
    public bool TryAdd(UInt128 key)
    {
        lock (_gate)
        {
            ref int count = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, key, out _);
            if (count >= _limit)
            {
                return false;
            }

            count++;
            return true;
        }
    }

    /// <summary>Forgets a connection that was counted.</summary>
    public void Remove(UInt128 key)
    {
        lock (_gate)
        {
            ref int count = ref CollectionsMarshal.GetValueRefOrNullRef(_counts, key);
            if (--count == 0)
            {
                _counts.Remove(key);
            }
        }
    }
}
