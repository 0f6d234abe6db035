"""Row-level security, proven by trying to cross it: in SQL as the application's own role, and over every route."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Table, delete, exists, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, ProgrammingError
from support.centre import Community as Settled
from support.centre import running_centre
from support.crossing import NAMES, PROBES, Clinic, Community, furnish, routes_of
from support.postgres import TestServer

from ecg_center.store.base import Base
from ecg_center.store.session import EVERYTHING, Database, Scope

pytestmark = pytest.mark.asyncio(loop_scope="module")

TABLES = {name: table for name, table in Base.metadata.tables.items() if "institution_id" in table.columns}
APPEND_ONLY = ("study_event", "audit", "review", "opinion", "findings_edit")
DENIED = "42501"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(
    postgres: TestServer, community: Settled, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Community]:
    """Made once: these tests only try to cross, and none of them may get through."""
    urls = postgres.clone(like=community.database)
    async with running_centre(urls, community.secrets, tmp_path_factory.mktemp("isolation")) as centre:
        yield await furnish(centre)
    postgres.drop(urls)


def own(clinic: Clinic) -> Scope:
    return Scope(institutions=(clinic.institution_id,))


async def rows_of(database: Database, table: Table, scope: Scope, *where: Any) -> list[Any]:
    async with database.transaction(scope) as session:
        return list(await session.execute(select(table).where(*where)))


async def refused(database: Database, scope: Scope, statement: Any) -> str:
    """The SQLSTATE with which the database refuses the statement."""
    with pytest.raises(DBAPIError) as error:
        async with database.transaction(scope) as session:
            await session.execute(statement)
    return error.value.orig.sqlstate


class TestRows:
    """Each table that carries ``institution_id``, as the role that the application connects with."""

    @pytest.mark.parametrize("name", sorted(TABLES))
    async def test_a_clinic_sees_its_own_rows_and_no_other(self, both: Community, name: str) -> None:
        table, database = TABLES[name], both.centre.database
        theirs = await rows_of(database, table, EVERYTHING, table.c.institution_id == both.t1.institution_id)
        mine = await rows_of(database, table, EVERYTHING, table.c.institution_id == both.t2.institution_id)
        assert theirs, "without rows of both clinics this proves nothing"
        assert mine
        assert sorted(map(repr, await rows_of(database, table, own(both.t2)))) == sorted(map(repr, mine))
        assert not await rows_of(database, table, own(both.t2), table.c.institution_id == both.t1.institution_id)
        async with database.transaction(own(both.t2)) as session:
            assert await session.scalar(select(func.count()).select_from(table)) == len(mine)
            for row in theirs:
                key = [column == getattr(row, column.name) for column in table.primary_key.columns]
                assert not await session.scalar(select(exists().where(*key)))
            if "study_id" in table.columns:
                study = TABLES["study"]
                joined = select(func.count()).select_from(table.join(study, study.c.id == table.c.study_id))
                assert await session.scalar(joined) == len(mine)
                outer = select(func.count()).select_from(study.outerjoin(table, study.c.id == table.c.study_id))
                assert await session.scalar(outer.where(study.c.institution_id == both.t1.institution_id)) == 0

    @pytest.mark.parametrize("name", sorted(TABLES))
    async def test_nothing_is_inserted_into_another_clinic(self, both: Community, name: str) -> None:
        table, database = TABLES[name], both.centre.database
        row = (await rows_of(database, table, EVERYTHING, table.c.institution_id == both.t1.institution_id))[0]
        generated = {column.name for column in table.columns if column.identity is not None}
        values = {key: value for key, value in row._mapping.items() if key not in generated}
        assert await refused(database, own(both.t2), insert(table).values(values)) == DENIED

    @pytest.mark.parametrize("name", sorted(set(TABLES) - set(APPEND_ONLY)))
    async def test_no_row_is_changed_taken_or_given_away(self, both: Community, name: str) -> None:
        table, database = TABLES[name], both.centre.database
        of_t1 = table.c.institution_id == both.t1.institution_id
        async with database.transaction(own(both.t2)) as session:
            changed = await session.execute(update(table).where(of_t1).values(institution_id=both.t2.institution_id))
            assert changed.rowcount == 0
        given = update(table).values(institution_id=both.t1.institution_id)
        assert await refused(database, own(both.t2), given) == DENIED

    @pytest.mark.parametrize("name", sorted(TABLES))
    async def test_no_row_of_another_clinic_is_deleted(self, both: Community, name: str) -> None:
        table, database = TABLES[name], both.centre.database
        of_t1 = table.c.institution_id == both.t1.institution_id
        with contextlib.suppress(ProgrammingError):  # most tables cannot be deleted from at all
            async with database.transaction(own(both.t2)) as session:
                assert (await session.execute(delete(table).where(of_t1))).rowcount == 0
        assert await rows_of(database, table, EVERYTHING, of_t1)

    @pytest.mark.parametrize("name", sorted(TABLES))
    async def test_a_transaction_without_a_scope_sees_nothing(self, both: Community, name: str) -> None:
        database = both.centre.database
        count = select(func.count()).select_from(TABLES[name])
        async with database.transaction(EVERYTHING) as session:
            assert await session.scalar(count)
        for _ in range(5):  # each pooled connection has been in some scope before
            async with database.engine.begin() as connection:
                assert await connection.scalar(count) == 0
        async with database.transaction(Scope()) as session:
            assert await session.scalar(count) == 0

    async def test_a_pooled_connection_never_carries_a_scope_on(self, both: Community) -> None:
        """Hundreds of transactions interleaved on two connections, some of them broken off."""
        database = Database(both.centre.store.database_url, pool_size=2)
        study = TABLES["study"]
        expected = {
            own(both.t1): {both.t1.institution_id},
            own(both.t2): {both.t2.institution_id},
            EVERYTHING: {both.t1.institution_id, both.t2.institution_id},
            Scope(): set(),
            Scope(institutions=(both.t1.institution_id, both.t2.institution_id)): {
                both.t1.institution_id,
                both.t2.institution_id,
            },
        }
        chance = random.Random(7)

        async def look(scope: Scope, breaks: bool) -> None:
            async with database.transaction(scope) as session:
                for _ in range(2):
                    seen = set(await session.scalars(select(study.c.institution_id)))
                    assert seen == expected[scope]
                    await asyncio.sleep(0)
                if breaks:
                    raise KeyError

        async def bare() -> None:
            async with database.engine.connect() as connection:
                assert set(await connection.scalars(select(study.c.institution_id))) == set()

        looks = [look(chance.choice(list(expected)), chance.random() < 0.3) for _ in range(300)]
        looks += [bare() for _ in range(60)]
        chance.shuffle(looks)
        ended = await asyncio.gather(*looks, return_exceptions=True)
        await database.close()
        assert {type(end) for end in ended} == {type(None), KeyError}

    async def test_a_scope_that_is_no_list_of_ids_is_an_error_and_shows_nothing(self, both: Community) -> None:
        async with both.centre.database.engine.connect() as connection:
            await connection.execute(text("SELECT set_config('ecg.institutions', 'x'' OR true', true)"))
            with pytest.raises(DBAPIError):
                await connection.execute(text("SELECT count(*) FROM study"))


class TestRole:
    """The application's role can neither pass nor change the policies."""

    async def test_every_table_of_a_clinic_stands_under_a_policy(self, both: Community) -> None:
        """From the catalogue, so that a new table without one is found."""
        async with both.centre.database.engine.connect() as connection:
            bare = await connection.scalars(
                text("""
                SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                  AND a.attname = 'institution_id' AND NOT a.attisdropped
                  AND NOT (c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid
                           AND p.polcmd = '*' AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL))
            """)
            )
            assert list(bare) == []

    async def test_it_is_an_ordinary_role_that_owns_nothing(self, both: Community) -> None:
        async with both.centre.database.engine.connect() as connection:
            row = (
                await connection.execute(
                    text("""
                SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
                  (SELECT count(*) FROM pg_auth_members m WHERE m.member = r.oid) AS memberships,
                  (SELECT count(*) FROM pg_class c WHERE c.relowner = r.oid) AS relations,
                  (SELECT count(*) FROM pg_proc p WHERE p.proowner = r.oid) AS functions,
                  (SELECT count(*) FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace)
                  AS passing
                FROM pg_roles r WHERE rolname = current_user
            """)
                )
            ).one()
            assert tuple(row) == (False,) * 5 + (0,) * 4

    @pytest.mark.parametrize(
        "statement",
        [
            "ALTER TABLE study DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE study NO FORCE ROW LEVEL SECURITY",
            "DROP POLICY sight ON study",
            "ALTER POLICY sight ON study USING (true)",
            "CREATE POLICY mine ON study USING (true)",
            "ALTER TABLE study OWNER TO ecg_app",
            "DROP TRIGGER ecg_notify_event ON study_event",
            "ALTER TABLE study_event DISABLE TRIGGER ALL",
            "TRUNCATE study_event",
            "CREATE TABLE public.mine (a int)",
            "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE SCHEMA mine",
            "SET ROLE ecg_owner",
            "SET SESSION AUTHORIZATION ecg_owner",
            "GRANT ecg_owner TO ecg_app",
            "ALTER ROLE ecg_app BYPASSRLS",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "SELECT pg_read_file('postgresql.conf')",
            "UPDATE alembic_version SET version_num = '0001'",
            "DELETE FROM study",
            "DELETE FROM report",
            "DELETE FROM recording",
        ],
    )
    async def test_it_cannot_change_what_binds_it(self, both: Community, statement: str) -> None:
        async with both.centre.database.engine.connect() as connection:
            with pytest.raises(DBAPIError) as error:
                await connection.execute(text(statement))
            assert error.value.orig.sqlstate == DENIED

    async def test_switching_row_security_off_turns_queries_into_errors(self, both: Community) -> None:
        async with both.centre.database.engine.connect() as connection:
            await connection.execute(text("SET LOCAL row_security = off"))
            with pytest.raises(DBAPIError) as error:
                await connection.execute(text("SELECT count(*) FROM study"))
            assert error.value.orig.sqlstate == DENIED

    @pytest.mark.parametrize("name", APPEND_ONLY)
    @pytest.mark.parametrize("statement", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {}"])
    async def test_what_was_written_down_stays(self, both: Community, name: str, statement: str) -> None:
        column = {"study_event": "why = ''", "audit": "action = ''", "review": "reason = ''"}.get(
            name, "content = '{{}}'"
        )
        said = text(statement.format(name, column.replace("{{}}", "{}")))
        assert await refused(both.centre.database, EVERYTHING, said) == DENIED


async def test_every_route_has_its_probe(both: Community) -> None:
    found = set(routes_of(both.centre.app.routes))
    assert sorted(found - set(PROBES)) == [], "add the new route to tests/support/crossing.py"
    assert sorted(set(PROBES) - found) == [], "a route is gone; take its probe out"


def gives_away(answer: Any, clinic: Clinic) -> list[str]:
    body = answer.content.decode("utf-8", "replace") + str(answer.headers)
    return [mark for mark in clinic.marks if mark in body]


async def of_t1(both: Community) -> list[str]:
    """Everything that T1 has, to be compared."""
    async with both.centre.database.transaction(own(both.t1)) as session:
        return [
            repr(row)
            for name in sorted(TABLES)
            for row in await session.execute(select(TABLES[name]).order_by(*TABLES[name].primary_key.columns))
        ]


NAMING = sorted(key for key, probe in PROBES.items() if probe.names_things)
NOT_NAMING = sorted(
    key for key, probe in PROBES.items() if not probe.names_things and key[1] not in ("/live", "/v/{code}")
)


class TestRoutes:
    """Somebody of T2 who may do everything there, and T2's gateway, with the ids of T1."""

    @pytest.mark.parametrize(("method", "path"), NAMING)
    async def test_what_is_t1s_does_not_exist_for_t2(self, both: Community, method: str, path: str) -> None:
        probe, before = PROBES[method, path], await of_t1(both)
        bearer = {"Authorization": f"Bearer {both.gateway_tokens['T2']}"}
        options = {"headers": bearer} if probe.caller == "gateway" else {"cookies": await both.centre.cookie("t2")}
        async with both.centre.client(**options) as client:
            answer = await probe.send(client, method, path, both.t1)
        assert answer.status_code in (403, 404)
        leaked = set(gives_away(answer, both.t1)) - set(PROBES[method, path].address(path, both.t1).split("/"))
        assert not leaked
        assert await of_t1(both) == before

    @pytest.mark.parametrize(("method", "path"), NOT_NAMING)
    async def test_lists_and_pages_show_the_callers_own_only(self, both: Community, method: str, path: str) -> None:
        probe, before = PROBES[method, path], await of_t1(both)
        bearer = {"Authorization": f"Bearer {both.gateway_tokens['T2']}"}
        options = {"headers": bearer} if probe.caller == "gateway" else {"cookies": await both.centre.cookie("t2")}
        async with both.centre.client(**options) as client:
            answer = await probe.send(client, method, path, both.t2)
        assert answer.status_code < 500
        assert gives_away(answer, both.t1) == []
        assert await of_t1(both) == before

    @pytest.mark.parametrize(("method", "path"), sorted(PROBES))
    async def test_a_stranger_is_asked_to_sign_in(self, both: Community, method: str, path: str) -> None:
        """Without a cookie or token, and with ones that were made up."""
        probe, before = PROBES[method, path], await of_t1(both)
        if probe.caller == "anyone":
            return
        for options in (
            {},
            {"cookies": {"ecg_session": "guessed"}},
            {"headers": {"Authorization": "Bearer guessed"}},
        ):
            async with both.centre.client(**options) as client:
                answer = await probe.send(client, method, path, both.t1)
            assert answer.status_code == 401 or answer.headers.get("location", "").startswith("/login")
            leaked = set(gives_away(answer, both.t1)) - set(PROBES[method, path].address(path, both.t1).split("/"))
            assert not [mark for mark in leaked if mark not in answer.headers.get("location", "")]
        assert await of_t1(both) == before

    @pytest.mark.parametrize(("method", "path"), sorted(PROBES))
    async def test_a_gateway_is_no_person_and_a_person_no_gateway(
        self, both: Community, method: str, path: str
    ) -> None:
        """Not even at their own clinic: the token of T1's gateway opens no page, the cookie of T1 no gateway route."""
        probe = PROBES[method, path]
        if probe.caller in ("anyone", "either"):
            return
        bearer = {"Authorization": f"Bearer {both.gateway_tokens['T1']}"}
        options = {"headers": bearer} if probe.caller == "person" else {"cookies": await both.centre.cookie("t1")}
        async with both.centre.client(**options) as client:
            answer = await probe.send(client, method, path, both.t1)
        assert answer.status_code == 401 or answer.headers.get("location", "").startswith("/login")

    async def test_t2s_gateway_cannot_offer_for_t1_nor_register_there(self, both: Community) -> None:
        body = PROBES["POST", "/api/registrations"].json | {"institution_code": "T1"}
        async with both.centre.client(headers={"Authorization": f"Bearer {both.gateway_tokens['T2']}"}) as client:
            assert (await client.post("/api/registrations", json=body)).status_code == 403
        async with both.centre.client(cookies=await both.centre.cookie("t2")) as client:
            assert (await client.post("/api/registrations", json=body)).status_code == 403

    async def test_lists_of_t1_are_not_empty_or_the_rest_proves_nothing(self, both: Community) -> None:
        async with both.centre.client(headers={"Authorization": f"Bearer {both.gateway_tokens['T1']}"}) as client:
            assert NAMES["T1"] in (await client.get("/api/gateway/orders")).text
            assert both.t1.ids["delivery_id"] in (await client.get("/api/gateway/prints")).text
        async with both.centre.client(cookies=await both.centre.cookie("t1")) as client:
            for path in ("/clinic", "/studies", "/unmatched"):
                assert gives_away(await client.get(path), both.t1), path

    async def test_the_code_on_the_paper_shows_no_name_and_no_id(self, both: Community) -> None:
        async with both.centre.client() as client:
            answer = await client.get(f"/v/{both.t1.ids['code']}")
            assert answer.status_code == 200
            assert "甲" in answer.text
            assert not set(gives_away(answer, both.t1)) & {NAMES["T1"], *both.t1.ids.values()}
            assert (await client.get("/v/guessed")).status_code == 404


@pytest.mark.parametrize(("method", "path"), NAMING)
async def test_every_probe_would_do_something_for_its_own_clinic(both: Community, method: str, path: str) -> None:
    """The control, last because it changes rows: no probe is refused for its form, its address or its role.

    The director of the centre (the administrator for the directory, the clinic's technician for a cancellation) or
    T1's own gateway sends the same request about the same things; ``conflict`` and "you do not hold it" may come back,
    "there is none" and "not valid" may not.
    """
    probe = PROBES[method, path]
    login = "admin" if "/directory/" in path else "t1" if "cancel" in path or "register" in path else "zhao"
    bearer = {"Authorization": f"Bearer {both.gateway_tokens['T1']}"}
    options = {"headers": bearer} if probe.caller == "gateway" else {"cookies": await both.centre.cookie(login)}
    async with both.centre.client(**options) as client:
        answer = await probe.send(client, method, path, both.t1)
    assert answer.status_code < 500
    as_a_form = path == "/unmatched/{study_id}/register"  # says "matched already" in the form itself
    assert answer.status_code not in (401, 404, 405, *(() if as_a_form else (422,))), answer.text[:500]
