namespace WarpProxy.LoadTest.Engines;

/// <summary>One way to compute operations of one size. One thread at a time.</summary>
internal interface IContender
{
    /// <summary><c>openssl</c>, <c>scalar</c> or <c>simd</c>.</summary>
    string Engine { get; }

    /// <summary>Operations of one pass.</summary>
    int Batch { get; }

    /// <summary>The most operations that take the time of this pass.</summary>
    int PassCapacity { get; }

    /// <summary>Computes one batch; each call takes the next keys.</summary>
    void RunPass();

    /// <summary>Forgets all results.</summary>
    void ClearResults();

    /// <summary>Checks all results with the public keys.</summary>
    /// <param name="passes">Passes since <see cref="ClearResults"/>; keys that none of them reached are left out.</param>
    /// <exception cref="InvalidOperationException">One is wrong.</exception>
    void CheckResults(long passes);
}
