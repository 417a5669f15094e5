namespace WarpProxy.Admin;

/// <summary>A feature of a request that was let in with the token.</summary>
/// <param name="Ended">Cancelled when that token counts no more.</param>
internal sealed record OperatorAdmission(CancellationToken Ended);
