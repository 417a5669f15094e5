using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace WarpDrive.Linux;

/// <summary>
/// The vector registers of this thread. Copying and computing leave parts of secrets in them, and a thread that sleeps keeps its registers: the kernel
/// writes them into core files.
/// </summary>
public static class VectorRegisters
{
    private const int Count = 32;       // of AVX-512 and of arm64; older processors have 16

    private static readonly byte[] Zeros = GC.AllocateArray<byte>(Count * 64, pinned: true);

    [ThreadStatic]
    private static byte[]? _written;

    /// <summary>Overwrites them with zeros; called by whoever has finished with a secret. Takes some ten nanoseconds.</summary>
    public static void Clear()
    {
        byte[] written = _written ??= new byte[Count * 64];
        if (Avx512F.IsSupported)
        {
            Fill512(ref Zeros[0], ref written[0]);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Fill256(ref Zeros[0], ref written[0]);
        }
        else
        {
            Fill128(ref Zeros[0], ref written[0]);
        }
    }

    // All are read before one is written, so that each needs a register of its own. Vectors of the widest kind there is, since narrower ones leave the rest
    // of a register to chance. What the compiler is told to inline or unroll might be taken apart again.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Fill512(ref byte zeros, ref byte written)
    {
        var v0 = Vector512.LoadUnsafe(ref zeros, 0);
        var v1 = Vector512.LoadUnsafe(ref zeros, 64);
        var v2 = Vector512.LoadUnsafe(ref zeros, 128);
        var v3 = Vector512.LoadUnsafe(ref zeros, 192);
        var v4 = Vector512.LoadUnsafe(ref zeros, 256);
        var v5 = Vector512.LoadUnsafe(ref zeros, 320);
        var v6 = Vector512.LoadUnsafe(ref zeros, 384);
        var v7 = Vector512.LoadUnsafe(ref zeros, 448);
        var v8 = Vector512.LoadUnsafe(ref zeros, 512);
        var v9 = Vector512.LoadUnsafe(ref zeros, 576);
        var v10 = Vector512.LoadUnsafe(ref zeros, 640);
        var v11 = Vector512.LoadUnsafe(ref zeros, 704);
        var v12 = Vector512.LoadUnsafe(ref zeros, 768);
        var v13 = Vector512.LoadUnsafe(ref zeros, 832);
        var v14 = Vector512.LoadUnsafe(ref zeros, 896);
        var v15 = Vector512.LoadUnsafe(ref zeros, 960);
        var v16 = Vector512.LoadUnsafe(ref zeros, 1024);
        var v17 = Vector512.LoadUnsafe(ref zeros, 1088);
        var v18 = Vector512.LoadUnsafe(ref zeros, 1152);
        var v19 = Vector512.LoadUnsafe(ref zeros, 1216);
        var v20 = Vector512.LoadUnsafe(ref zeros, 1280);
        var v21 = Vector512.LoadUnsafe(ref zeros, 1344);
        var v22 = Vector512.LoadUnsafe(ref zeros, 1408);
        var v23 = Vector512.LoadUnsafe(ref zeros, 1472);
        var v24 = Vector512.LoadUnsafe(ref zeros, 1536);
        var v25 = Vector512.LoadUnsafe(ref zeros, 1600);
        var v26 = Vector512.LoadUnsafe(ref zeros, 1664);
        var v27 = Vector512.LoadUnsafe(ref zeros, 1728);
        var v28 = Vector512.LoadUnsafe(ref zeros, 1792);
        var v29 = Vector512.LoadUnsafe(ref zeros, 1856);
        var v30 = Vector512.LoadUnsafe(ref zeros, 1920);
        var v31 = Vector512.LoadUnsafe(ref zeros, 1984);
        v0.StoreUnsafe(ref written, 0);
        v1.StoreUnsafe(ref written, 64);
        v2.StoreUnsafe(ref written, 128);
        v3.StoreUnsafe(ref written, 192);
        v4.StoreUnsafe(ref written, 256);
        v5.StoreUnsafe(ref written, 320);
        v6.StoreUnsafe(ref written, 384);
        v7.StoreUnsafe(ref written, 448);
        v8.StoreUnsafe(ref written, 512);
        v9.StoreUnsafe(ref written, 576);
        v10.StoreUnsafe(ref written, 640);
        v11.StoreUnsafe(ref written, 704);
        v12.StoreUnsafe(ref written, 768);
        v13.StoreUnsafe(ref written, 832);
        v14.StoreUnsafe(ref written, 896);
        v15.StoreUnsafe(ref written, 960);
        v16.StoreUnsafe(ref written, 1024);
        v17.StoreUnsafe(ref written, 1088);
        v18.StoreUnsafe(ref written, 1152);
        v19.StoreUnsafe(ref written, 1216);
        v20.StoreUnsafe(ref written, 1280);
        v21.StoreUnsafe(ref written, 1344);
        v22.StoreUnsafe(ref written, 1408);
        v23.StoreUnsafe(ref written, 1472);
        v24.StoreUnsafe(ref written, 1536);
        v25.StoreUnsafe(ref written, 1600);
        v26.StoreUnsafe(ref written, 1664);
        v27.StoreUnsafe(ref written, 1728);
        v28.StoreUnsafe(ref written, 1792);
        v29.StoreUnsafe(ref written, 1856);
        v30.StoreUnsafe(ref written, 1920);
        v31.StoreUnsafe(ref written, 1984);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Fill256(ref byte zeros, ref byte written)
    {
        var v0 = Vector256.LoadUnsafe(ref zeros, 0);
        var v1 = Vector256.LoadUnsafe(ref zeros, 32);
        var v2 = Vector256.LoadUnsafe(ref zeros, 64);
        var v3 = Vector256.LoadUnsafe(ref zeros, 96);
        var v4 = Vector256.LoadUnsafe(ref zeros, 128);
        var v5 = Vector256.LoadUnsafe(ref zeros, 160);
        var v6 = Vector256.LoadUnsafe(ref zeros, 192);
        var v7 = Vector256.LoadUnsafe(ref zeros, 224);
        var v8 = Vector256.LoadUnsafe(ref zeros, 256);
        var v9 = Vector256.LoadUnsafe(ref zeros, 288);
        var v10 = Vector256.LoadUnsafe(ref zeros, 320);
        var v11 = Vector256.LoadUnsafe(ref zeros, 352);
        var v12 = Vector256.LoadUnsafe(ref zeros, 384);
        var v13 = Vector256.LoadUnsafe(ref zeros, 416);
        var v14 = Vector256.LoadUnsafe(ref zeros, 448);
        var v15 = Vector256.LoadUnsafe(ref zeros, 480);
        v0.StoreUnsafe(ref written, 0);
        v1.StoreUnsafe(ref written, 32);
        v2.StoreUnsafe(ref written, 64);
        v3.StoreUnsafe(ref written, 96);
        v4.StoreUnsafe(ref written, 128);
        v5.StoreUnsafe(ref written, 160);
        v6.StoreUnsafe(ref written, 192);
        v7.StoreUnsafe(ref written, 224);
        v8.StoreUnsafe(ref written, 256);
        v9.StoreUnsafe(ref written, 288);
        v10.StoreUnsafe(ref written, 320);
        v11.StoreUnsafe(ref written, 352);
        v12.StoreUnsafe(ref written, 384);
        v13.StoreUnsafe(ref written, 416);
        v14.StoreUnsafe(ref written, 448);
        v15.StoreUnsafe(ref written, 480);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Fill128(ref byte zeros, ref byte written)
    {
        var v0 = Vector128.LoadUnsafe(ref zeros, 0);
        var v1 = Vector128.LoadUnsafe(ref zeros, 16);
        var v2 = Vector128.LoadUnsafe(ref zeros, 32);
        var v3 = Vector128.LoadUnsafe(ref zeros, 48);
        var v4 = Vector128.LoadUnsafe(ref zeros, 64);
        var v5 = Vector128.LoadUnsafe(ref zeros, 80);
        var v6 = Vector128.LoadUnsafe(ref zeros, 96);
        var v7 = Vector128.LoadUnsafe(ref zeros, 112);
        var v8 = Vector128.LoadUnsafe(ref zeros, 128);
        var v9 = Vector128.LoadUnsafe(ref zeros, 144);
        var v10 = Vector128.LoadUnsafe(ref zeros, 160);
        var v11 = Vector128.LoadUnsafe(ref zeros, 176);
        var v12 = Vector128.LoadUnsafe(ref zeros, 192);
        var v13 = Vector128.LoadUnsafe(ref zeros, 208);
        var v14 = Vector128.LoadUnsafe(ref zeros, 224);
        var v15 = Vector128.LoadUnsafe(ref zeros, 240);
        var v16 = Vector128.LoadUnsafe(ref zeros, 256);
        var v17 = Vector128.LoadUnsafe(ref zeros, 272);
        var v18 = Vector128.LoadUnsafe(ref zeros, 288);
        var v19 = Vector128.LoadUnsafe(ref zeros, 304);
        var v20 = Vector128.LoadUnsafe(ref zeros, 320);
        var v21 = Vector128.LoadUnsafe(ref zeros, 336);
        var v22 = Vector128.LoadUnsafe(ref zeros, 352);
        var v23 = Vector128.LoadUnsafe(ref zeros, 368);
        var v24 = Vector128.LoadUnsafe(ref zeros, 384);
        var v25 = Vector128.LoadUnsafe(ref zeros, 400);
        var v26 = Vector128.LoadUnsafe(ref zeros, 416);
        var v27 = Vector128.LoadUnsafe(ref zeros, 432);
        var v28 = Vector128.LoadUnsafe(ref zeros, 448);
        var v29 = Vector128.LoadUnsafe(ref zeros, 464);
        var v30 = Vector128.LoadUnsafe(ref zeros, 480);
        var v31 = Vector128.LoadUnsafe(ref zeros, 496);
        v0.StoreUnsafe(ref written, 0);
        v1.StoreUnsafe(ref written, 16);
        v2.StoreUnsafe(ref written, 32);
        v3.StoreUnsafe(ref written, 48);
        v4.StoreUnsafe(ref written, 64);
        v5.StoreUnsafe(ref written, 80);
        v6.StoreUnsafe(ref written, 96);
        v7.StoreUnsafe(ref written, 112);
        v8.StoreUnsafe(ref written, 128);
        v9.StoreUnsafe(ref written, 144);
        v10.StoreUnsafe(ref written, 160);
        v11.StoreUnsafe(ref written, 176);
        v12.StoreUnsafe(ref written, 192);
        v13.StoreUnsafe(ref written, 208);
        v14.StoreUnsafe(ref written, 224);
        v15.StoreUnsafe(ref written, 240);
        v16.StoreUnsafe(ref written, 256);
        v17.StoreUnsafe(ref written, 272);
        v18.StoreUnsafe(ref written, 288);
        v19.StoreUnsafe(ref written, 304);
        v20.StoreUnsafe(ref written, 320);
        v21.StoreUnsafe(ref written, 336);
        v22.StoreUnsafe(ref written, 352);
        v23.StoreUnsafe(ref written, 368);
        v24.StoreUnsafe(ref written, 384);
        v25.StoreUnsafe(ref written, 400);
        v26.StoreUnsafe(ref written, 416);
        v27.StoreUnsafe(ref written, 432);
        v28.StoreUnsafe(ref written, 448);
        v29.StoreUnsafe(ref written, 464);
        v30.StoreUnsafe(ref written, 480);
        v31.StoreUnsafe(ref written, 496);
    }
}
