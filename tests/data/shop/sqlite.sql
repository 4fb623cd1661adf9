-- A chain of bicycle shops, as somebody might have designed it over the years, for SQLite.

CREATE TABLE countries (
    code CHAR(2) PRIMARY KEY NOT NULL CHECK (code = upper(code) AND length(code) = 2),
    name VARCHAR(40) NOT NULL UNIQUE
);

CREATE TABLE cities (
    id INTEGER PRIMARY KEY,
    country CHAR(2) NOT NULL REFERENCES countries (code),
    name VARCHAR(40) NOT NULL,
    inhabitants INTEGER CHECK (inhabitants > 0),
    UNIQUE (country, name)
);

CREATE TABLE branches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    city_id INTEGER NOT NULL REFERENCES cities,
    street VARCHAR(60) NOT NULL,
    opened DATE NOT NULL DEFAULT CURRENT_DATE,
    manager_id INTEGER REFERENCES employees
);

CREATE TABLE employees (
    id INTEGER PRIMARY KEY,
    branch_id INTEGER NOT NULL REFERENCES branches,
    boss_id INTEGER REFERENCES employees ON DELETE SET NULL,
    first_name VARCHAR(20) NOT NULL,
    last_name VARCHAR(30) NOT NULL,
    mail TEXT UNIQUE,
    born DATE,
    salary NUMERIC(10, 2) NOT NULL CHECK (salary > 0),
    part_time BOOLEAN NOT NULL DEFAULT 0,
    hired DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    full_name TEXT GENERATED ALWAYS AS (first_name || ' ' || last_name) STORED,
    CONSTRAINT born_first CHECK (born < hired)
);

CREATE TABLE opening_hours (
    branch_id INTEGER REFERENCES branches ON DELETE CASCADE,
    weekday INTEGER CHECK (weekday BETWEEN 1 AND 7),
    opens TEXT NOT NULL,
    closes TEXT NOT NULL,
    PRIMARY KEY (branch_id, weekday)
) WITHOUT ROWID;

CREATE TABLE suppliers (
    id UUID PRIMARY KEY NOT NULL,
    name VARCHAR(50) NOT NULL,
    contact JSON
);

CREATE TABLE categories (
    id INTEGER PRIMARY KEY,
    parent_id INTEGER REFERENCES categories,
    name VARCHAR(30) NOT NULL UNIQUE
);

CREATE TABLE products (
    id INTEGER PRIMARY KEY,
    number CHAR(6) NOT NULL UNIQUE CHECK (length(number) = 6),
    title VARCHAR(60) NOT NULL,
    category_id INTEGER NOT NULL REFERENCES categories,
    supplier_id UUID REFERENCES suppliers ON DELETE SET NULL,
    price NUMERIC(10, 2) NOT NULL CHECK (price >= 0),
    cost NUMERIC(10, 2) CHECK (cost >= 0),
    weight REAL,
    words TEXT NOT NULL DEFAULT '',
    details JSON NOT NULL DEFAULT '{}',
    picture BLOB,
    stock INTEGER NOT NULL DEFAULT 0 CHECK (stock >= 0)
);

CREATE TABLE fits (
    part_id INTEGER REFERENCES products ON DELETE CASCADE,
    whole_id INTEGER REFERENCES products ON DELETE CASCADE,
    PRIMARY KEY (part_id, whole_id),
    CHECK (part_id <> whole_id)
) WITHOUT ROWID;

CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    name VARCHAR(60) NOT NULL,
    mail TEXT NOT NULL UNIQUE CHECK (mail LIKE '%_@_%'),
    city_id INTEGER REFERENCES cities,
    notes TEXT
);

CREATE TABLE cards (
    customer_id INTEGER PRIMARY KEY REFERENCES customers ON DELETE CASCADE,
    number VARCHAR(12) NOT NULL UNIQUE,
    points INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers,
    employee_id INTEGER REFERENCES employees ON DELETE SET NULL,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'paid', 'sent', 'returned')),
    placed DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    sent_on DATE
);

CREATE TABLE order_lines (
    id INTEGER PRIMARY KEY,
    order_id INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE,
    product_id INTEGER NOT NULL REFERENCES products,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    price NUMERIC(10, 2) NOT NULL,
    UNIQUE (order_id, product_id)
);

CREATE TABLE repairs (
    id INTEGER PRIMARY KEY,
    branch_id INTEGER NOT NULL REFERENCES branches,
    customer_id INTEGER NOT NULL REFERENCES customers,
    mechanic_id INTEGER REFERENCES employees,
    clerk_id INTEGER REFERENCES employees,
    what TEXT NOT NULL,
    brought DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    hours NUMERIC(4, 1) CHECK (hours > 0)
);

CREATE TABLE messages (
    at DATETIME DEFAULT CURRENT_TIMESTAMP,
    text TEXT
);

CREATE VIEW offers AS SELECT id, number, title, price FROM products WHERE stock > 0;
CREATE VIEW turnover AS SELECT product_id, sum(quantity * price) AS total FROM order_lines GROUP BY product_id;

CREATE TRIGGER keep_sent BEFORE UPDATE ON orders WHEN OLD.state = 'sent' AND NEW.customer_id <> OLD.customer_id
BEGIN
    SELECT RAISE(ABORT, 'the order was sent already, to secret@example.org');
END;

CREATE TRIGGER note_order AFTER INSERT ON orders
BEGIN
    INSERT INTO messages (text) VALUES ('order ' || NEW.id);
END;

INSERT INTO countries VALUES ('CH', 'Switzerland'), ('IT', 'Italy'), ('NA', 'Namibia');
INSERT INTO cities (country, name, inhabitants) VALUES ('CH', 'Chur', 38000), ('IT', 'Bozen', 107000), ('CH', 'Biel', NULL);
INSERT INTO branches (city_id, street, opened) VALUES (1, 'Masanserstrasse 5', '1987-03-01'), (2, 'Lauben 12', '2004-09-15');
INSERT INTO employees (branch_id, boss_id, first_name, last_name, mail, born, salary, part_time, hired) VALUES
    (1, NULL, 'Ladina', 'Caduff', 'ladina@example.org', '1970-02-28', 7200.50, 0, '1995-01-01 07:00:00'),
    (1, 1, 'Jürg', 'Weiß', NULL, '1991-12-31', 4800.00, 1, '2015-06-01 06:00:00'),
    (2, 1, 'Chiara', 'Rossi', 'chiara@example.org', NULL, 5100.25, 0, '2019-10-01 06:00:00');
UPDATE branches SET manager_id = 1 WHERE id = 1;
INSERT INTO opening_hours VALUES (1, 1, '13:30', '18:30'), (1, 6, '09:00', '16:00');
INSERT INTO suppliers VALUES ('6b1f6e0a-58c1-4d5e-9a34-0d2f2c6f9b01', 'Zahnrad AG', '{"phone": "+41 81 000 00 00", "days": [1, 2]}');
INSERT INTO categories (parent_id, name) VALUES (NULL, 'Bicycles'), (NULL, 'Parts'), (2, 'Chains');
INSERT INTO products (number, title, category_id, supplier_id, price, cost, weight, words, details, picture, stock) VALUES
    ('B-0001', 'Touring bicycle "Rhein"', 1, NULL, 1890.00, 1100, 14.2, 'touring,steel', '{"gears": 27}', x'89504e47', 3),
    ('P-0001', 'Chain, 9 speeds', 3, '6b1f6e0a-58c1-4d5e-9a34-0d2f2c6f9b01', 39.90, 17.35, 0.3, '', '{}', NULL, 40),
    ('P-0002', 'Chain tool', 2, NULL, 24.5, NULL, NULL, 'tool', '{"tool": true}', NULL, 0);
INSERT INTO fits VALUES (2, 1);
INSERT INTO customers (name, mail, city_id, notes) VALUES ('Ada Lövel', 'ada@example.org', 1, NULL), ('Ōta', 'ota@example.org', NULL, 'calls');
INSERT INTO cards VALUES (1, 'K-100', 250);
INSERT INTO orders (customer_id, employee_id, state, placed, sent_on) VALUES (1, 2, 'sent', '2024-02-29 11:00:00', '2024-03-02'), (2, NULL, 'open', CURRENT_TIMESTAMP, NULL);
INSERT INTO order_lines (order_id, product_id, quantity, price) VALUES (1, 1, 1, 1850.00), (1, 2, 2, 39.90), (2, 2, 1, 39.90);
INSERT INTO repairs (branch_id, customer_id, mechanic_id, clerk_id, what, hours) VALUES (1, 2, 2, 1, 'brakes', 1.5);
