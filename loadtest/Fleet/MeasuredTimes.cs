using System.Text.Json;

namespace WarpProxy.LoadTest.Fleet;

/// <summary>The times that a simulation uses: of a file, or those measured where docs/scale.md says.</summary>
internal static class MeasuredTimes
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web) { ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>One core of an AMD EPYC (family 26, 2.6 GHz), OpenSSL 3.0.19, TLS 1.3 with X25519; no-ifma as it is with OPENSSL_ia32cap=:~0x200000.</summary>
    public static IReadOnlyList<ServiceTimes> Defaults { get; } =
    [
        Handshake("RSA-2048", software: 228) with { EngineLanes = 8, Scalar = 217, HalfPass = 492, FullPass = 990, Offload = 40, Detour = 60 },
        Handshake("RSA-2048-no-ifma", software: 489) with { EngineLanes = 8, Scalar = 489, HalfPass = 492, FullPass = 990, Offload = 40, Detour = 60 },
        Handshake("RSA-3072", software: 1497) with { EngineLanes = 8, Scalar = 1468, HalfPass = 1447, FullPass = 2911, Offload = 40, Detour = 60 },
        Handshake("RSA-4096", software: 3341) with { EngineLanes = 8, Scalar = 3341, HalfPass = 3286, FullPass = 6645, Offload = 40, Detour = 60 },
        Handshake("P-256", software: 25),
    ];

    /// <summary>Reads a file: an array of objects with the properties of <see cref="ServiceTimes"/>.</summary>
    /// <exception cref="LoadFailure">It cannot be used.</exception>
    public static IReadOnlyList<ServiceTimes> Read(string file)
    {
        try
        {
            ServiceTimes[] times = JsonSerializer.Deserialize<ServiceTimes[]>(File.ReadAllBytes(file), Format) ?? [];
            if (times.Length == 0)
            {
                throw new LoadFailure($"--times is '{file}', which has no times; it must be an array with one object for each kind of key.", LoadFailure.BadInput);
            }

            if (times.Select(static one => one.FindProblem()).FirstOrDefault(static problem => problem is not null) is { } problem)
            {
                throw new LoadFailure($"--times is '{file}', where {problem}", LoadFailure.BadInput);
            }

            return times;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new LoadFailure($"--times is '{file}', which cannot be read: {failure.Message}", LoadFailure.BadInput);
        }
    }

    private static ServiceTimes Handshake(string key, double software) => new()
    {
        Key = key,
        Before = 270,
        After = 97,
        Rest = 120,
        Resumed = 391,
        Cold = 546,
        Software = software,
        Client = 150,
        Spread = 0.3,
    };
}
