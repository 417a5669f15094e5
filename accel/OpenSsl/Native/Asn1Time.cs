namespace WarpDrive.OpenSsl.Native;

/// <summary>Reads ASN1_TIME.</summary>
internal static unsafe class Asn1Time
{
    /// <summary>The time in UTC; null for a null pointer.</summary>
    /// <exception cref="OpenSslException">It is no time.</exception>
    public static DateTimeOffset? Read(nint time)
    {
        if (time == 0)
        {
            return null;
        }

        nint epoch = Libcrypto.ASN1_TIME_set(0, 0);
        int days = 0;
        int seconds = 0;
        bool isRead = epoch != 0 && Libcrypto.ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;
        Libcrypto.ASN1_TIME_free(epoch);
        return isRead
            ? DateTimeOffset.UnixEpoch.AddDays(days).AddSeconds(seconds)
            : throw new OpenSslException(OpenSslError.Failed, $"A time is not in the form of ASN.1: {Libcrypto.TakeErrors()}.");
    }
}
