"""The pages about accounts: confirm an address, choose a password, accept an invitation, ask for another link."""

from sav_contracts.auth.account import AcceptInvitation, RequestVerification, VerifyEmail
from sav_contracts.auth.fields import LONGEST, SHORTEST
from sav_contracts.auth.session import RequestPasswordReset, ResetPassword
from sav_contracts.sentences import Text
from sav_edge.pages.page import Field, Page

PASSWORDS = (
    Field(
        "password",
        "password",
        Text("New password", "Nouveau mot de passe"),
        hint=Text(f"{SHORTEST} to {LONGEST} characters.", f"De {SHORTEST} à {LONGEST} caractères."),
        autocomplete="new-password",
        least=SHORTEST,
        most=LONGEST,
    ),
    Field(
        "again",
        "password",
        Text("The same password again", "Le même mot de passe, encore une fois"),
        autocomplete="new-password",
        most=LONGEST,
        same_as="password",
    ),
)
EMAIL = Field("email", "email", Text("E-mail address", "Adresse e-mail"), autocomplete="email", most=254)
CONFIRM = Text("Confirm", "Confirmer")
SAVE = Text("Save the password", "Enregistrer le mot de passe")
SEND = Text("Send me a link", "Envoyez-moi un lien")
# The same whether the address is known or not.
ON_ITS_WAY = Text(
    "If we know this address, a message with a link is on its way to it.",
    "Si nous connaissons cette adresse, un message avec un lien vient d’y être envoyé.",
)
SIGN_IN = Text("You can now sign in with it.", "Vous pouvez maintenant vous connecter.")

PAGES = (
    Page(
        "verify-email",
        VerifyEmail,
        Text("Confirm your address", "Confirmez votre adresse"),
        Text(
            "Is the address to which we wrote yours? Then confirm it with the button.",
            "L’adresse à laquelle nous avons écrit est-elle la vôtre ? Confirmez-la avec ce bouton.",
        ),
        CONFIRM,
        Text("Your address is confirmed", "Votre adresse est confirmée"),
        Text("Thank you. You can close this page.", "Merci. Vous pouvez fermer cette page."),
        renewed_at="new-confirmation",
    ),
    Page(
        "change-email",
        VerifyEmail,
        Text("Confirm your new address", "Confirmez votre nouvelle adresse"),
        Text(
            "The address to which we wrote takes the place of the old one as soon as you confirm it.",
            "L’adresse à laquelle nous avons écrit remplace l’ancienne dès que vous la confirmez.",
        ),
        CONFIRM,
        Text("Your new address is confirmed", "Votre nouvelle adresse est confirmée"),
        Text("From now on you sign in with it.", "Vous vous connectez désormais avec elle."),
    ),
    Page(
        "password-reset",
        ResetPassword,
        Text("Choose a new password", "Choisissez un nouveau mot de passe"),
        Text(
            "You will be signed out everywhere.",
            "Toutes vos sessions seront fermées.",
        ),
        SAVE,
        Text("Your password is changed", "Votre mot de passe est changé"),
        SIGN_IN,
        fields=PASSWORDS,
        renewed_at="forgotten-password",
    ),
    Page(
        "invitation",
        AcceptInvitation,
        Text("Accept your invitation", "Acceptez votre invitation"),
        Text(
            "Your account is ready. All that is left is to choose a password.",
            "Votre compte est prêt. Il ne vous reste qu’à choisir un mot de passe.",
        ),
        SAVE,
        Text("Your account is open", "Votre compte est ouvert"),
        SIGN_IN,
        fields=PASSWORDS,
    ),
    Page(
        "first-admin",
        AcceptInvitation,
        Text("Become the first admin", "Devenez le premier administrateur"),
        Text(
            "This platform has no admin yet. Say who you are, and choose a password.",
            "Cette plateforme n’a pas encore d’administrateur. Dites qui vous êtes, et choisissez un mot de passe.",
        ),
        SAVE,
        Text("Your account is open", "Votre compte est ouvert"),
        SIGN_IN,
        fields=(EMAIL, Field("name", "line", Text("Name", "Nom"), autocomplete="name", most=200), *PASSWORDS),
    ),
    Page(
        "forgotten-password",
        RequestPasswordReset,
        Text("Forgotten password", "Mot de passe oublié"),
        Text(
            "We send you a link with which you choose a new one.",
            "Nous vous envoyons un lien pour en choisir un nouveau.",
        ),
        SEND,
        Text("Look at your mails", "Consultez votre messagerie"),
        ON_ITS_WAY,
        fields=(EMAIL,),
        linked=False,
    ),
    Page(
        "new-confirmation",
        RequestVerification,
        Text("Confirm your address", "Confirmez votre adresse"),
        Text(
            "We send you another link with which you confirm it.",
            "Nous vous envoyons un autre lien pour la confirmer.",
        ),
        SEND,
        Text("Look at your mails", "Consultez votre messagerie"),
        ON_ITS_WAY,
        fields=(EMAIL,),
        linked=False,
    ),
)
