namespace WarpProxy.LoadTest.Engines;

/// <summary>
/// OpenSSL's own RSA as <c>openssl speed</c> measures it: EVP_PKEY_sign with a context that is made once for each key, with blinding
/// and the check of the result that belong to it. Without padding, which engines do not add either.
/// </summary>
internal sealed class OpenSslContender : IContender
{
    private readonly BenchKey[] _keys;
    private readonly byte[][] _results;
    private int _next;

    public OpenSslContender(BenchKey[] keys)
    {
        _keys = keys;
        _results = [.. keys.Select(static key => new byte[key.ModulusBytes])];
    }

    public string Engine => "openssl";

    public int Batch => 1;

    public int PassCapacity => 1;

    public void RunPass()
    {
        _keys[_next].OpenSsl.Private(_keys[_next].Input, _results[_next]);
        _next = (_next + 1) % _keys.Length;
    }

    public void ClearResults()
    {
        _next = 0;
        foreach (byte[] result in _results)
        {
            Array.Clear(result);
        }
    }

    public void CheckResults(long passes)
    {
        for (int i = 0; i < _keys.Length && i < passes; i++)
        {
            if (!_keys[i].OpenSsl.CheckResult(_keys[i].Input, _results[i]))
            {
                throw new InvalidOperationException($"{Engine}: RSA-{_keys[i].ModulusBytes * 8}, key {i + 1} of {_keys.Length}: the number is wrong.");
            }
        }
    }
}
