using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace WarpDrive.OpenSsl.Provider;

/// <summary>Managed objects as OpenSSL holds them: opaque pointers, each made and given back once.</summary>
internal static class ProviderHandle
{
    private static int _live;

    /// <summary>How many are in OpenSSL's hands: keys, and contexts in use. For the tests that look for leaks.</summary>
    public static int Live => Volatile.Read(ref _live);

    public static nint Create(object target) => GCHandle.ToIntPtr(GCHandle.Alloc(target));

    /// <summary>The object; OpenSSL only ever passes pointers that this class gave it, to functions of the same algorithm.</summary>
    public static T Get<T>(nint handle)
        where T : class => Unsafe.As<T>(GCHandle.FromIntPtr(handle).Target!);

    public static void Free(nint handle) => GCHandle.FromIntPtr(handle).Free();

    public static void CountGiven() => Interlocked.Increment(ref _live);

    public static void CountTakenBack() => Interlocked.Decrement(ref _live);
}
