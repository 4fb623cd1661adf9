-- A chain of bicycle shops, as somebody might have designed it over the years, for PostgreSQL.

CREATE TYPE order_state AS ENUM ('open', 'paid', 'sent', 'returned');
CREATE DOMAIN euros AS numeric(10, 2) CHECK (VALUE >= 0);

CREATE TABLE countries (
    code char(2) PRIMARY KEY CHECK (code = upper(code)),
    name varchar(40) NOT NULL UNIQUE
);

CREATE TABLE cities (
    id serial PRIMARY KEY,
    country char(2) NOT NULL REFERENCES countries (code),
    name varchar(40) NOT NULL,
    inhabitants integer CHECK (inhabitants > 0),
    UNIQUE (country, name)
);

CREATE TABLE branches (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    city_id integer NOT NULL REFERENCES cities,
    street varchar(60) NOT NULL,
    opened date NOT NULL DEFAULT current_date,
    manager_id integer
);

CREATE TABLE employees (
    id serial PRIMARY KEY,
    branch_id integer NOT NULL REFERENCES branches,
    boss_id integer REFERENCES employees ON DELETE SET NULL,
    first_name varchar(20) NOT NULL,
    last_name varchar(30) NOT NULL,
    mail text UNIQUE,
    born date,
    salary numeric(10, 2) NOT NULL CHECK (salary > 0),
    part_time boolean NOT NULL DEFAULT false,
    hired timestamptz NOT NULL DEFAULT now(),
    full_name text GENERATED ALWAYS AS (first_name || ' ' || last_name) STORED,
    CONSTRAINT born_first CHECK (born < hired)
);

ALTER TABLE branches ADD FOREIGN KEY (manager_id) REFERENCES employees;

CREATE TABLE opening_hours (
    branch_id integer REFERENCES branches ON DELETE CASCADE,
    weekday smallint CHECK (weekday BETWEEN 1 AND 7),
    opens time NOT NULL,
    closes time NOT NULL,
    PRIMARY KEY (branch_id, weekday)
);

CREATE TABLE suppliers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(50) NOT NULL,
    contact jsonb
);

CREATE TABLE categories (
    id smallserial PRIMARY KEY,
    parent_id smallint REFERENCES categories,
    name varchar(30) NOT NULL UNIQUE
);

CREATE TABLE products (
    id serial PRIMARY KEY,
    number char(6) NOT NULL UNIQUE,
    title varchar(60) NOT NULL,
    category_id smallint NOT NULL REFERENCES categories,
    supplier_id uuid REFERENCES suppliers ON DELETE SET NULL,
    price numeric(10, 2) NOT NULL CHECK (price >= 0),
    cost euros,
    weight real,
    words text[] NOT NULL DEFAULT '{}',
    details jsonb NOT NULL DEFAULT '{}',
    picture bytea,
    stock integer NOT NULL DEFAULT 0 CHECK (stock >= 0)
);

CREATE TABLE fits (
    part_id integer REFERENCES products ON DELETE CASCADE,
    whole_id integer REFERENCES products ON DELETE CASCADE,
    PRIMARY KEY (part_id, whole_id),
    CHECK (part_id <> whole_id)
);

CREATE TABLE customers (
    id bigserial PRIMARY KEY,
    name varchar(60) NOT NULL,
    mail text NOT NULL UNIQUE CHECK (mail LIKE '%_@_%'),
    city_id integer REFERENCES cities,
    notes text
);

CREATE TABLE cards (
    customer_id bigint PRIMARY KEY REFERENCES customers ON DELETE CASCADE,
    number varchar(12) NOT NULL UNIQUE,
    points integer NOT NULL DEFAULT 0
);

CREATE TABLE orders (
    id serial PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers,
    employee_id integer REFERENCES employees ON DELETE SET NULL,
    state order_state NOT NULL DEFAULT 'open',
    placed timestamptz NOT NULL DEFAULT now(),
    sent_on date
);

CREATE TABLE order_lines (
    id serial PRIMARY KEY,
    order_id integer NOT NULL REFERENCES orders ON DELETE CASCADE,
    product_id integer NOT NULL REFERENCES products,
    quantity smallint NOT NULL CHECK (quantity > 0),
    price numeric(10, 2) NOT NULL,
    UNIQUE (order_id, product_id)
);

CREATE TABLE repairs (
    id serial PRIMARY KEY,
    branch_id integer NOT NULL REFERENCES branches,
    customer_id bigint NOT NULL REFERENCES customers,
    mechanic_id integer REFERENCES employees,
    clerk_id integer REFERENCES employees,
    what text NOT NULL,
    brought timestamp NOT NULL DEFAULT localtimestamp,
    hours numeric(4, 1) CHECK (hours > 0)
);

CREATE TABLE messages (
    at timestamptz DEFAULT now(),
    text text
);

CREATE VIEW offers AS SELECT id, number, title, price FROM products WHERE stock > 0;
CREATE VIEW turnover AS SELECT product_id, sum(quantity * price) AS total FROM order_lines GROUP BY product_id;

CREATE FUNCTION keep_sent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'sent' AND NEW.customer_id <> OLD.customer_id THEN
        RAISE EXCEPTION 'order % was sent already, to secret@example.org', OLD.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_sent BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION keep_sent();

CREATE FUNCTION note_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO messages (text) VALUES ('order ' || NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER note_order AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note_order();

INSERT INTO countries VALUES ('CH', 'Switzerland'), ('IT', 'Italy'), ('NA', 'Namibia');
INSERT INTO cities (country, name, inhabitants) VALUES ('CH', 'Chur', 38000), ('IT', 'Bozen', 107000), ('CH', 'Biel', NULL);
INSERT INTO branches (city_id, street, opened) VALUES (1, 'Masanserstrasse 5', '1987-03-01'), (2, 'Lauben 12', '2004-09-15');
INSERT INTO employees (branch_id, boss_id, first_name, last_name, mail, born, salary, part_time, hired) VALUES
    (1, NULL, 'Ladina', 'Caduff', 'ladina@example.org', '1970-02-28', 7200.50, false, '1995-01-01 08:00+01'),
    (1, 1, 'Jürg', 'Weiß', NULL, '1991-12-31', 4800.00, true, '2015-06-01 08:00+02'),
    (2, 1, 'Chiara', 'Rossi', 'chiara@example.org', NULL, 5100.25, false, '2019-10-01 08:00+02');
UPDATE branches SET manager_id = 1 WHERE id = 1;
INSERT INTO opening_hours VALUES (1, 1, '13:30', '18:30'), (1, 6, '09:00', '16:00');
INSERT INTO suppliers VALUES ('6b1f6e0a-58c1-4d5e-9a34-0d2f2c6f9b01', 'Zahnrad AG', '{"phone": "+41 81 000 00 00", "days": [1, 2]}');
INSERT INTO categories (parent_id, name) VALUES (NULL, 'Bicycles'), (NULL, 'Parts'), (2, 'Chains');
INSERT INTO products (number, title, category_id, supplier_id, price, cost, weight, words, details, picture, stock) VALUES
    ('B-0001', 'Touring bicycle "Rhein"', 1, NULL, 1890.00, 1100, 14.2, '{touring,steel}', '{"gears": 27}', '\x89504e47', 3),
    ('P-0001', 'Chain, 9 speeds', 3, '6b1f6e0a-58c1-4d5e-9a34-0d2f2c6f9b01', 39.90, 17.35, 0.3, '{}', '{}', NULL, 40),
    ('P-0002', 'Chain tool', 2, NULL, 24.5, NULL, NULL, '{tool}', '{"tool": true}', NULL, 0);
INSERT INTO fits VALUES (2, 1);
INSERT INTO customers (name, mail, city_id, notes) VALUES ('Ada Lövel', 'ada@example.org', 1, NULL), ('Ōta', 'ota@example.org', NULL, 'calls');
INSERT INTO cards VALUES (1, 'K-100', 250);
INSERT INTO orders (customer_id, employee_id, state, placed, sent_on) VALUES (1, 2, 'sent', '2024-02-29 12:00+01', '2024-03-02'), (2, NULL, 'open', now(), NULL);
INSERT INTO order_lines (order_id, product_id, quantity, price) VALUES (1, 1, 1, 1850.00), (1, 2, 2, 39.90), (2, 2, 1, 39.90);
INSERT INTO repairs (branch_id, customer_id, mechanic_id, clerk_id, what, hours) VALUES (1, 2, 2, 1, 'brakes', 1.5);
