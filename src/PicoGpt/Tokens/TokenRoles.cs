namespace PicoGpt.Tokens;

/// <summary>What special tokens are for, by the names that transformers' files give that.</summary>
internal static class TokenRoles
{
    public const string Begin = "bos_token";

    public const string End = "eos_token";

    /// <summary>The lists of special tokens that are for nothing in particular.</summary>
    public static IReadOnlyList<string> Lists { get; } = ["additional_special_tokens", "extra_special_tokens"];

    /// <summary>Each of them is one token's, in the order in which transformers adds tokens that have no id yet.</summary>
    public static IReadOnlyList<string> All { get; } = [Begin, End, "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];
}
